import { fail, type Limits, type ModelTerms, ok, type Result } from "@ledge/contract";
import { amountsOf, type CallTokens, measuresIn } from "@ledge/policy";
import type { Demand } from "../exchange.ts";
import type { Subject } from "./subjects.ts";

/** What is reserved for the answer of a call that sets no bound of its own, where the limits cover so much. */
export const outputTokensDefault = 1_024;

export interface Reserve {
  /** Absent where no model is asked. */
  readonly tokens?: CallTokens;
  /** The bound of an answer whose caller set none; absent where no limit counts it. */
  readonly outputLimit?: number;
}

/**
 * The most tokens that a call can use, as far as its limits count them: nobody knows how many a prompt is before it is answered.
 * Errors: `input_too_large` for what the limits never cover, however long the caller waits.
 */
export function reserveFor(
  { action, model, inputBytes, outputTokensMax }: Demand,
  subjects: readonly Subject[],
  terms: ModelTerms | undefined,
): Result<Reserve> {
  for (const { limits, prefix } of subjects) {
    if (limits.input_bytes !== undefined && inputBytes > limits.input_bytes) {
      return tooLarge(`${prefix}input-bytes allows ${limits.input_bytes} bytes; the input has ${inputBytes}.`);
    }
  }
  if (model === undefined) return ok({});
  const input = Math.ceil(inputBytes * (terms?.tokens_per_byte_max ?? 1));
  const free = outputTokensMax === undefined && action === "chat" ? outputRoom(subjects, input) : undefined;
  const outputLimit = free === undefined ? undefined : Math.max(1, Math.min(outputTokensDefault, free));
  const output = action === "chat" ? (outputTokensMax ?? outputLimit ?? 0) : 0;
  const tokens = { input, output };
  const never = subjects.flatMap(({ limits, prefix }) => neverCovered(limits, prefix, tokens));
  if (never.length > 0) return tooLarge(never.join(" "));
  return ok(outputLimit === undefined ? { tokens } : { tokens, outputLimit });
}

/** What all limits together leave for the answer at most; `undefined` where none counts it. */
function outputRoom(subjects: readonly Subject[], input: number): number | undefined {
  let room: number | undefined;
  for (const { limits } of subjects) {
    const { output_tokens_per_minute: output, tokens_per_minute: all } = limits;
    if (output !== undefined) room = Math.min(room ?? output, output);
    if (all !== undefined) room = Math.min(room ?? all, all - input);
  }
  return room;
}

function neverCovered(limits: Limits, prefix: string, tokens: CallTokens): readonly string[] {
  const call = amountsOf(limits, tokens);
  return measuresIn(call).flatMap((measure) => {
    const [needed = 0, limit = 0] = [call[measure], limits[measure]];
    return needed > limit ? [`${prefix}${measure.replaceAll("_", "-")} is ${limit}; the call may need ${needed}.`] : [];
  });
}

function tooLarge(detail: string): Result<never> {
  return fail("input_too_large", { detail });
}
