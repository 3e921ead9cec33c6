import * as z from "zod/mini";

/** What a subject (a key, a user, a tenant, a model, a tier) may use. What is absent is not limited. */

const count = z.int().check(z.gte(1), z.lte(1_000_000_000_000));
/** Of a limit, which is counted in parts of one: more of them would not be whole. */
const most = z.int().check(z.gte(1), z.lte(10_000_000_000));

export const limits = z.strictObject({
  requests_per_second: z.optional(most),
  requests_per_minute: z.optional(most),
  requests_per_day: z.optional(most),
  input_tokens_per_minute: z.optional(most),
  output_tokens_per_minute: z.optional(most),
  /** Input and output together. */
  tokens_per_minute: z.optional(most),
  /** Calls that have not been answered to their end. */
  in_flight: z.optional(most),
  /** Of one call's body. */
  input_bytes: z.optional(most),
});
export type Limits = z.infer<typeof limits>;

/** Calendar quotas, in the tenant's time zone. Money in micro-cents: 10⁻⁸ of the currency's unit, so that sums are whole. */
export const quotas = z.strictObject({
  calls_per_day: z.optional(count),
  calls_per_month: z.optional(count),
  tokens_per_day: z.optional(count),
  tokens_per_month: z.optional(count),
  microcents_per_day: z.optional(z.int().check(z.gte(0))),
  microcents_per_month: z.optional(z.int().check(z.gte(0))),
});
export type Quotas = z.infer<typeof quotas>;
