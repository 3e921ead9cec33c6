import * as z from "zod/mini";

/** Callers that are kept out for a while. */

/** What they did: wrong credentials, a search for what there is, or prompts that are refused one after the other. */
export const blockReason = z.enum(["credentials", "enumeration", "prompts"]);
export type BlockReason = z.infer<typeof blockReason>;

export const block = z.object({
  number: z.int(),
  /** `ip:203.0.113.7`, `ip:2001:db8:0:1::/64`, `key:<id>`, or the subject of a token. */
  subject: z.string(),
  reason: blockReason,
  /** RFC 3339. */
  at: z.string(),
  until: z.string(),
  /** The how manyth in a row it is. */
  times: z.int(),
  /** Set when an operator ended it. */
  lifted_at: z.optional(z.string()),
  lifted_by: z.optional(z.string()),
});
export type Block = z.infer<typeof block>;

/** `GET /admin/v1/blocks`: newest first. */
export const blocksAnswer = z.object({ blocks: z.array(block) });
export type BlocksAnswer = z.infer<typeof blocksAnswer>;

/** `POST /admin/v1/blocks/lift`: a subject as it is listed, an address, or a key's id. */
export const liftRequest = z.strictObject({ of: z.string().check(z.minLength(1), z.maxLength(600)) });

export const liftAnswer = z.object({ lifted: z.string() });
export type LiftAnswer = z.infer<typeof liftAnswer>;

/** What an isolate tells of a caller: points that it has not told yet. */
export interface OffenceReport {
  readonly subject: string;
  readonly points: number;
  readonly reason: BlockReason;
}

/** What changed of the blocks after a number. */
export interface BlockChanges {
  /** Of the last change told. */
  readonly number: number;
  /** Until when each is blocked, milliseconds since 1970; 0 when it is lifted. In the order of the changes. */
  readonly changes: readonly { readonly subject: string; readonly untilMs: number }[];
}

/** Blocks since the deployment began, by whom they were of, and those that last now. */
export interface BlockCounts {
  readonly addresses: number;
  readonly callers: number;
  readonly active: number;
}
