import * as z from "zod/mini";
import { ledgerRow } from "./usage.ts";

/** Reports of usage, and the events of quotas (docs/usage.md). Money is in micro-cents: 10⁻⁸ of the currency's unit. */

/** What a report may be split by. */
export const usageDimensions = [
  "tenant",
  "key",
  "user",
  "project",
  "model",
  "version",
  "action",
  "tier",
  "cache",
] as const;
export const usageDimension = z.enum(usageDimensions);
export type UsageDimension = z.infer<typeof usageDimension>;

export const amount = z.object({ calls: z.int(), tokens: z.int(), microcents: z.int() });

/** One line: the calls of one group, in one hour or day where the report is split by time. */
export const usageLine = z.object({
  /** When the hour or day begins, RFC 3339. */
  at: z.optional(z.string()),
  tenant: z.optional(z.string()),
  key: z.optional(z.string()),
  user: z.optional(z.string()),
  project: z.optional(z.string()),
  model: z.optional(z.string()),
  version: z.optional(z.string()),
  action: z.optional(z.string()),
  /** `edge` or `origin`; absent when nobody answered. */
  tier: z.optional(z.string()),
  cache: z.optional(z.string()),
  calls: z.int(),
  failures: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  /** Micro-cents: what is charged, what it would have cost without the cache, and what either spared. */
  cost: z.int(),
  list_cost: z.int(),
  saved_by_cache: z.int(),
  saved_by_edge: z.int(),
  /** Of the calls that were answered, milliseconds, right to a tenth; absent when there were none. */
  latency_ms_p50: z.optional(z.number()),
  latency_ms_p95: z.optional(z.number()),
});
export type UsageLine = z.infer<typeof usageLine>;

/** A quota as it stands now. */
export const quotaState = z.object({
  kind: z.enum(["calls", "tokens", "microcents"]),
  period: z.enum(["day", "month"]),
  limit: z.int(),
  /** By calls that are over. */
  used: z.int(),
  /** Held for calls under way and ahead. */
  reserved: z.int(),
  left: z.int(),
  /** RFC 3339. */
  renewed_at: z.string(),
});

export type QuotaState = z.infer<typeof quotaState>;

/** `GET /admin/v1/usage` and `GET /v1/usage`. */
export const usageAnswer = z.object({
  /** RFC 3339; `to` is excluded. Both lie on whole hours of UTC. */
  from: z.string(),
  to: z.string(),
  currency: z.string(),
  lines: z.array(usageLine),
  /** Counted against quotas though no call was told of it: what isolates held that died. */
  unreported: amount,
  /** Of the one tenant that was asked for; empty when it has none, or several were. */
  quotas: z.array(quotaState),
});
export type UsageAnswer = z.infer<typeof usageAnswer>;

/** A share of a quota was reached, or a quota refused a call for the first time in its day or month. */
export const ledgerEvent = z.object({
  /** The same however often it is delivered. */
  id: z.string(),
  type: z.enum(["quota.threshold", "quota.exhausted"]),
  /** RFC 3339. */
  at: z.string(),
  tenant: z.string(),
  kind: z.enum(["calls", "tokens", "microcents"]),
  period: z.enum(["day", "month"]),
  /** When the day or month began, RFC 3339. */
  window_start: z.string(),
  renewed_at: z.string(),
  limit: z.int(),
  used: z.int(),
  /** The share that was reached. */
  share: z.number(),
});
export type LedgerEvent = z.infer<typeof ledgerEvent>;

/** `GET /admin/v1/events`. */
export const eventsAnswer = z.object({ events: z.array(ledgerEvent) });
export type EventsAnswer = z.infer<typeof eventsAnswer>;

/** `GET /admin/v1/ledger/rows`: oldest first. */
export const ledgerRowsAnswer = z.object({
  rows: z.array(ledgerRow),
  /** What to ask after next time. */
  next: z.string(),
});
export type LedgerRowsAnswer = z.infer<typeof ledgerRowsAnswer>;

/** `POST /admin/v1/ledger/reconcile`. */
export const reconcileRequest = z.strictObject({ tenant: z.string().check(z.minLength(1), z.maxLength(128)) });
export const reconcileAnswer = z.object({
  /** Calls in the origin's journal that were looked at, and those of them that the ledger lacked and has now. */
  read: z.int(),
  added: z.int(),
  /** Still counted though no call was told of it. */
  unreported: amount,
});
export type ReconcileAnswer = z.infer<typeof reconcileAnswer>;
