import { fail, ok, type Result } from "@ledge/contract";

/** Tokens an answer may have when the caller sets no limit and the context has room. */
export const outputTokensDefault = 512;

/**
 * Tokens an answer may have: what was asked if it fits beside the prompt, else what is left up to
 * {@link outputTokensDefault}. Fails with `context_length_exceeded`.
 */
export function outputBudget(question: {
  readonly promptTokens: number;
  readonly contextTokens: number;
  readonly asked: number | undefined;
}): Result<number> {
  const { promptTokens, contextTokens, asked } = question;
  const left = contextTokens - promptTokens;
  if (left >= Math.max(1, asked ?? 1)) return ok(asked ?? Math.min(left, outputTokensDefault));
  const allowed = asked === undefined ? "" : ` and the answer may have ${asked}`;
  return fail("context_length_exceeded", {
    detail: `The context has ${contextTokens} tokens; the prompt has ${promptTokens}${allowed}.`,
  });
}
