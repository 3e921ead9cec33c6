import * as z from "zod/mini";

/** `POST /admin/v1/keys`: a new API key. */
export const newKeyRequest = z.strictObject({
  tenant: z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)),
  name: z.string().check(z.minLength(1), z.maxLength(128)),
  /** Default: the deployment's REQUESTS_PER_MINUTE_DEFAULT. */
  requests_per_minute: z.optional(z.int().check(z.gte(1), z.lte(10_000_000))),
});
export type NewKeyRequest = z.infer<typeof newKeyRequest>;

/** The answer to it: the only time the key itself is shown. */
export interface NewKeyAnswer {
  readonly id: string;
  readonly key: string;
  readonly tenant: string;
  readonly name: string;
  readonly requests_per_minute: number;
}
