import * as z from "zod/mini";
import { price } from "./terms.ts";

/** What a model costs that has no price of its own, and in which currency everything is priced (ISO 4217). */
export const prices = z.strictObject({
  currency: z.string().check(z.regex(/^[A-Z]{3}$/, "three letters, as in USD")),
  price,
});
export type Prices = z.infer<typeof prices>;
