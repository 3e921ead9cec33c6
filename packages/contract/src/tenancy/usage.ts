import * as z from "zod/mini";
import { action } from "./scopes.ts";

/** What a call used, as far as it is known: absent is unknown, not nothing. */
export interface Used {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Of the edge's or the engine's time. */
  readonly runMs?: number;
}

/** One row of a tenant's ledger: a call that was assigned to a version. */
export const ledgerRow = z.object({
  /** Minted by the gateway for this call alone: a row is written once however often it is handed over. */
  id: z.string(),
  request_id: z.string(),
  /** When it ended, milliseconds since 1970. */
  at_ms: z.int(),
  /** The key's id; absent for tokens. */
  key: z.optional(z.string()),
  user: z.optional(z.string()),
  project: z.optional(z.string()),
  model: z.string(),
  version: z.string(),
  action,
  /** Where it was answered; absent when nowhere. */
  tier: z.optional(z.enum(["edge", "origin"])),
  cache: z.enum(["hit", "miss", "bypass", "collapsed"]),
  input_tokens: z.int(),
  output_tokens: z.int(),
  /** Micro-cents: what is charged, and what it would have cost without the cache. */
  cost: z.int(),
  list_cost: z.int(),
  /** Micro-cents that the origin would have charged more; 0 where it has no price of its own. */
  edge_saved: z.optional(z.int()),
  latency_ms: z.int(),
  /** The rollout's arm, `<rollout id>:<version>`. */
  arm: z.optional(z.string()),
  /** How it failed; absent when it did not. */
  code: z.optional(z.string()),
});
export type LedgerRow = z.infer<typeof ledgerRow>;
