import type { Quotas } from "./limits.ts";
import type { LedgerRow } from "./usage.ts";

/** What gateways and a tenant's ledger say to one another (docs/usage.md). */

/** What a quota counts. Whole numbers; money in micro-cents. */
export interface Amount {
  readonly calls: number;
  readonly tokens: number;
  readonly microcents: number;
}

export const nothing: Amount = { calls: 0, tokens: 0, microcents: 0 };

/** What the ledger is to hold a tenant to: it knows no plans itself. */
export interface LedgerRules {
  readonly quotas: Quotas;
  /** IANA name: when days and months begin. */
  readonly timeZone: string;
  /** Shares of a quota at which an event is raised. */
  readonly notifyAt: readonly number[];
}

/**
 * What an isolate says about one tenant: one message at a time, the same again until it is answered. What it holds is stated
 * anew in each, so that nothing depends on a message having arrived once.
 */
export interface LedgerMessage {
  readonly isolate: string;
  /** Rises by one with each message of this isolate about this tenant. */
  readonly number: number;
  readonly rules: LedgerRules;
  /** Calls that are over. */
  readonly rows: readonly LedgerRow[];
  /** All that the isolate goes on holding: for calls that are not over, and ahead. */
  readonly keeps: Amount;
  /** When that is given up should the isolate fall silent, milliseconds since 1970. */
  readonly keepsUntilMs: number;
  /** What calls need that wait to be admitted, in order. */
  readonly demands: readonly Amount[];
  /** What else it would hold for the calls of the next second. */
  readonly ahead: Amount;
}

export interface LedgerAnswer {
  /** Demand by demand: 0 is admitted; else when a quota that refused it is renewed, milliseconds since 1970. */
  readonly refusedUntilMs: readonly number[];
  /** Granted on top of what was admitted. */
  readonly ahead: Amount;
}

/** A call that an origin answered, as it wrote it down itself. */
export interface JournalEntry {
  /** The row's id. */
  readonly call: string;
  readonly tenant: string;
  readonly key?: string;
  readonly user?: string;
  readonly project?: string;
  readonly request_id: string;
  readonly action: LedgerRow["action"];
  readonly model: string;
  readonly version: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly run_ms: number;
  /** When it was over, milliseconds since 1970. */
  readonly at_ms: number;
  /** How it broke off; absent when it was answered whole. */
  readonly code?: string;
}

/** A page of an origin's journal of one tenant, oldest first. */
export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  /** What to ask after next time. */
  readonly next: string;
  /** Whether there is more by now. */
  readonly more: boolean;
}

/** Which call it is and who pays: travels to the origin beside its secret. */
export type Payer = Pick<JournalEntry, "call" | "tenant" | "key" | "user" | "project" | "action">;

const payerFields = ["call", "tenant", "key", "user", "project", "action"] as const;

/** As a header: its values in order, escaped, split by `;`. */
export function payerText(payer: Payer): string {
  return payerFields.map((field) => encodeURIComponent(payer[field] ?? "")).join(";");
}

/** `undefined` for what no gateway wrote. */
export function readPayer(text: string): Payer | undefined {
  try {
    const values = text.split(";").map(decodeURIComponent);
    const [call, tenant] = values;
    if (values.length !== payerFields.length || !call || !tenant) return undefined;
    const given = payerFields.flatMap((field, i) => (values[i] ? [[field, values[i]]] : []));
    return Object.fromEntries(given) as Payer;
  } catch {
    return undefined;
  }
}

/** What an engine's stream cost, as the comment that the origin writes behind `[DONE]`. */
export interface StreamUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly run_ms: number;
}
export const streamUsageMark = ": ledge-usage ";
