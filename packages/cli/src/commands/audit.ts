import { createHash } from "node:crypto";
import { type AuditHead, type AuditLogName, auditAnswer, auditHeadStart, auditLogs, checkAudit } from "@ledge/contract";
import type { Command } from "commander";
import { said } from "../ask/settings.ts";
import { type Target, targetOf } from "../ask/target.ts";
import { type TargetFlags, withTargetOptions } from "../ask/target-options.ts";
import { type Context, collect, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import { auditText } from "../tell/registry.ts";
import { table } from "../tell/table.ts";

interface AuditFlags extends TargetFlags {
  readonly log?: string;
  readonly model?: string;
  readonly after?: string;
  readonly limit?: string;
}

export function audit(context: Context): Command {
  const { terminal } = context;
  const command = newCommand("audit", "List every change that an operator made: who, when, from what, to what", [
    "ledge audit --limit 20",
    "ledge audit --model intent",
    "ledge audit --log directory --after 100",
  ])
    .option("--log <log>", `only of ${auditLogs.join(", ")}`)
    .option("--model <model>", "only changes of this model")
    .option("--after <number>", "only rows after this one, of one log")
    .option("--limit <n>", "at most so many rows");
  return withTargetOptions(command)
    .action(async ({ url, json, ...filters }: AuditFlags) => {
      const query = new URLSearchParams(said({ ...filters }) as Record<string, string>);
      const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path: `/audit?${query}` });
      terminal.print(json ? JSON.stringify(value) : auditText(auditAnswer.parse(value).rows));
    })
    .addCommand(auditVerify(context));
}

function auditVerify({ terminal }: Context): Command {
  const command = newCommand("verify", "Check that no row of the audit was edited, removed or moved", [
    "ledge audit verify",
    "ledge audit verify --head 7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069",
  ]).option("--head <hash>", "a hash that was printed before: rows cut off since then are found by it", collect);
  return withTargetOptions(command).action(
    async ({ url, json, head = [] }: TargetFlags & { readonly head?: readonly string[] }) => {
      const target = targetOf(url, terminal);
      const missing = new Set(head);
      const heads: Record<string, AuditHead> = {};
      for (const log of auditLogs) heads[log] = await checkLog(target, log, missing);
      if (missing.size > 0) throw new Refusal(`No row has the hash ${[...missing].join(", ")}: rows were cut off.`);
      const rows = Object.entries(heads).map(([log, at]) => [log, String(at.rows), at.hash]);
      terminal.print(json ? JSON.stringify(heads) : table([["log", "rows", "head"], ...rows]));
      terminal.say(
        "No row was edited, removed or moved. Keep the heads elsewhere, to find later whether rows were cut off.",
      );
    },
  );
}

/** Rows of one request. */
const pageRows = 1_000;

/** Reads a log from its first row. What it finds it takes out of `missing`. Throws {@link Refusal} for a row that does not follow. */
async function checkLog(target: Target, log: AuditLogName, missing: Set<string>): Promise<AuditHead> {
  let head = auditHeadStart;
  for (;;) {
    const path = `/audit?log=${log}&after=${head.number}&limit=${pageRows}`;
    const { value } = await callAdmin(target, { method: "GET", path });
    // As they came: a member that we do not know is part of what was hashed.
    const { rows } = value as { rows: Readonly<Record<string, unknown>>[] };
    for (const { hash } of rows) missing.delete(String(hash));
    const checked = checkAudit(head, rows, sha256Hex);
    if (checked.brokenAt !== undefined) {
      throw new Refusal(
        `The audit of the ${log} is broken: row ${checked.brokenAt} does not follow from row ${checked.head.number}.`,
      );
    }
    if (rows.length < pageRows) return checked.head;
    head = checked.head;
  }
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
