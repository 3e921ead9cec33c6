import { fail, type Limits, type ModelTerms, ok, type Result, type Terms } from "@ledge/contract";
import { amountsOf, type CallTokens, measuresIn, priceOf } from "@ledge/policy";
import type { Demand, Principal } from "../exchange.ts";
import { type Subject, subjectsOf } from "./subjects.ts";

/** What is reserved for the answer of a call that sets no bound of its own, where the limits cover so much. */
export const outputTokensDefault = 1_024;

export interface Reserve {
  /** Absent where no model is asked. */
  readonly tokens?: CallTokens;
  /** The bound of an answer whose caller set none; absent where no limit counts it. */
  readonly outputLimit?: number;
}

/** Prompts in larger bodies are not counted beforehand: it would hold up all others of the isolate. */
const countedBytesMax = 128 * 1024;

/**
 * The demand with the tokens of its prompt, where a limit or a quota of the caller's counts them and they can be told. A call
 * that nothing counts so, or that is too large anyway, asks nobody.
 */
export async function counted(principal: Principal, demand: Demand, terms: Terms): Promise<Demand> {
  const { model, inputBytes, countPrompt } = demand;
  if (countPrompt === undefined || model === undefined || inputBytes > countedBytesMax) return demand;
  if (termsOf(terms, model)?.tokens_per_byte_max !== undefined) return demand;
  const subjects = subjectsOf(principal, model, terms);
  if (subjects.some(({ limits }) => inputBytes > (limits.input_bytes ?? inputBytes))) return demand;
  const { quotas } = principal.standing;
  const isPriced = (priceOf(terms, model).per_million_input_tokens ?? 0) > 0;
  const isCounted =
    subjects.some(({ limits }) => limits.tokens_per_minute ?? limits.input_tokens_per_minute) ||
    (quotas.tokens_per_day ?? quotas.tokens_per_month) !== undefined ||
    (isPriced && (quotas.microcents_per_day ?? quotas.microcents_per_month) !== undefined);
  const inputTokens = isCounted ? await countPrompt(principal) : undefined;
  return inputTokens === undefined ? demand : { ...demand, inputTokens };
}

/** Tokens that are reserved for a prompt: as many as it is, or as its bytes can be. */
export function promptTokens({ inputTokens, inputBytes }: Demand, terms: ModelTerms | undefined): number {
  return inputTokens ?? Math.ceil(inputBytes * (terms?.tokens_per_byte_max ?? 1));
}

export function termsOf({ models }: Terms, model: string): ModelTerms | undefined {
  return Object.hasOwn(models, model) ? models[model] : undefined;
}

/**
 * The most tokens that a call can use, as far as its limits count them.
 * Errors: `input_too_large` for what the limits never cover, however long the caller waits.
 */
export function reserveFor(
  demand: Demand,
  subjects: readonly Subject[],
  terms: ModelTerms | undefined,
): Result<Reserve> {
  const { action, model, inputBytes, outputTokensMax } = demand;
  for (const { limits, prefix } of subjects) {
    if (limits.input_bytes !== undefined && inputBytes > limits.input_bytes) {
      return tooLarge(`${prefix}input-bytes allows ${limits.input_bytes} bytes; the input has ${inputBytes}.`);
    }
  }
  if (model === undefined) return ok({});
  const input = promptTokens(demand, terms);
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
