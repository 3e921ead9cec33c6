import * as z from "zod/mini";
import { canonicalJson } from "../canonical-json.ts";
import { auditRow } from "../registry.ts";

/**
 * The audit: a log for each object that an operator changes, rows only ever added, each chained to the one before it. Whoever
 * edits, removes or reorders a row breaks every hash from there on; whoever cuts the end off is found by a hash kept elsewhere.
 */

/** Whose changes: of models; of the answer cache; of tenants, keys, terms and the operator's own credentials. */
export const auditLogs = ["registry", "cache", "directory"] as const;
export const auditLog = z.enum(auditLogs);
export type AuditLogName = z.infer<typeof auditLog>;

export const chainedRow = z.extend(auditRow, {
  log: auditLog,
  /** See {@link auditHash}. */
  hash: z.string(),
});
export type ChainedRow = z.infer<typeof chainedRow>;

/** `GET /admin/v1/audit`: ascending, by number in one log and by time over all. */
export const auditAnswer = z.object({ rows: z.array(chainedRow) });
export type AuditAnswer = z.infer<typeof auditAnswer>;

/** The hash before a log's first row. */
export const auditStart = "0".repeat(64);

/** SHA-256, hex, of the hash before and the row's RFC 8785 JSON: all of it but `log` and `hash`. */
export function auditHash(before: string, row: object, sha256Hex: (text: string) => string): string {
  return sha256Hex(before + canonicalJson(row));
}

/** How far a log has been checked. */
export interface AuditHead {
  readonly rows: number;
  /** Of the latest row; 0 before the first. */
  readonly number: number;
  readonly hash: string;
}

export const auditHeadStart: AuditHead = { rows: 0, number: 0, hash: auditStart };

/**
 * Checks the next rows of one log, ascending, as they came over the wire: with every member, known or not. Gives the head
 * after them, or the number of the first row that does not follow from those before it.
 */
export function checkAudit(
  head: AuditHead,
  rows: readonly Readonly<Record<string, unknown>>[],
  sha256Hex: (text: string) => string,
): { readonly head: AuditHead; readonly brokenAt?: number } {
  let checked = head;
  for (const { log: _log, hash, ...row } of rows) {
    const number = Number(row.number);
    const due = auditHash(checked.hash, row, sha256Hex);
    if (number <= checked.number || hash !== due) return { head: checked, brokenAt: number };
    checked = { rows: checked.rows + 1, number, hash: due };
  }
  return { head: checked };
}
