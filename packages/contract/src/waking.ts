import * as z from "zod/mini";

/**
 * What an origin answers to `POST /v1/models/{name@version}/wake`: the model begins to wake if it was asleep, once however often it
 * is asked, and this is how that stands. `failed` is said once; who asks after that begins anew.
 */
export const wakeAnswer = z.object({
  state: z.enum(["awake", "waking", "failed"]),
  /** About how long it still takes, milliseconds. */
  eta_ms: z.number().check(z.gte(0)),
});
export type WakeAnswer = z.infer<typeof wakeAnswer>;

export function wakePath(model: string): string {
  return `/v1/models/${model}/wake`;
}
