import * as z from "zod/mini";
import { plan, price, tier } from "./terms.ts";

/** The operator's API for the deployment's terms: plans, tiers, prices, and what holds for a model. */

export const plansAnswer = z.object({ plans: z.record(z.string(), plan) });
export const tiersAnswer = z.object({ tiers: z.record(z.string(), tier) });

/** What a model costs that has no price of its own, and in which currency everything is priced (ISO 4217). */
export const prices = z.strictObject({
  currency: z.string().check(z.regex(/^[A-Z]{3}$/, "three letters, as in USD")),
  price,
});
export type Prices = z.infer<typeof prices>;
