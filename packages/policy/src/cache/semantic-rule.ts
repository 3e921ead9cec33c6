import type { CacheRule } from "./rule.ts";
import type { CacheWish } from "./wish.ts";

/** How like prompts share answers, with nothing left out. */
export interface SemanticRule {
  readonly embedder: string;
  readonly verifier: string;
  readonly probabilityMin: number;
  readonly similarityMin: number;
  readonly candidatesMax: number;
  readonly entriesMax: number;
}

/**
 * Where the shipped verifier is hardly ever sure: next to no hits, as no threshold keeps its false ones rare. What a lower one
 * gives is in docs/cache.md.
 */
const probabilityMin = 0.95;
/** Cosine of `embed`. Below it hardly any two prompts want the same answer; judging them would be lost time. */
const similarityMin = 0.5;

/** `undefined` when the semantic cache is off: it is, unless the policy or, where the policy does not forbid it, the call turns it on. */
export function semanticRule(
  { semantic }: Pick<CacheRule, "semantic">,
  { semantic: asked }: Pick<CacheWish, "semantic">,
): SemanticRule | undefined {
  if (asked === false || semantic.enabled === false || (asked !== true && semantic.enabled !== true)) return undefined;
  return {
    embedder: semantic.embedder ?? "embed",
    verifier: semantic.verifier ?? "same-answer",
    probabilityMin: semantic.probability_min ?? probabilityMin,
    similarityMin,
    candidatesMax: semantic.candidates_max ?? 2,
    entriesMax: semantic.entries_max ?? 10_000,
  };
}
