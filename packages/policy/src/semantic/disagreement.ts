import { asksDiffer } from "./ask.ts";
import { formsDiffer } from "./form.ts";
import { marksOf } from "./marks.ts";
import { namesDiffer } from "./names.ts";
import { converse, oppositions } from "./opposites.ts";
import { reversed } from "./order.ts";
import { cancels, polarityDiffers } from "./polarity.ts";
import { quantitiesOf } from "./quantities.ts";
import { substituted } from "./substitution.ts";
import { type Prompt, readPrompt, small } from "./words.ts";

/** Longer prompts have too much in them for a near match to be told from another. UTF-16 code units. */
export const comparableCharsMax = 600;

/** Why two prompts cannot want the same answer, as far as words tell. */
export type Disagreement =
  | "exact"
  | "quantity"
  | "negation"
  | "opposite"
  | "name"
  | "order"
  | "ask"
  | "form"
  | "substitution"
  | "script"
  | "length";

const rules: readonly (readonly [Disagreement, (a: Prompt, b: Prompt) => boolean])[] = [
  ["quantity", (a, b) => !equal(quantitiesOf(a).toSorted(), quantitiesOf(b).toSorted())],
  ["negation", polarityDiffers],
  ["opposite", (a, b) => oppositions(a, b) > 0 && !converse(a, b) && !cancels(a, b)],
  ["name", namesDiffer],
  ["order", reversed],
  ["ask", asksDiffer],
  ["form", formsDiffer],
  ["substitution", substituted],
];

/**
 * What forbids that one prompt's answer is given to the other; `undefined` when no rule does, which is not yet a yes: the
 * verifier judges what is left. The rules err towards forbidding: a refused hit costs one call, a false one a wrong answer.
 */
export function disagreement(one: string, other: string): Disagreement | undefined {
  if (Math.max(one.length, other.length) > comparableCharsMax) return "length";
  if (foreign.test(one) || foreign.test(other)) return "script";
  const ours = marksOf(one);
  const theirs = marksOf(other);
  if (!equal(ours.exact.toSorted(), theirs.exact.toSorted())) return "exact";
  const a = readPrompt(one, ours.prose);
  const b = readPrompt(other, theirs.prose);
  // "Use `x` where `y` was" and "replace `y` by `x`" are one wish; the same words around `x` and `y` in another order are two.
  if (!equal(ours.exact, theirs.exact) && equal(matterOf(a), matterOf(b))) return "exact";
  return rules.find(([, differs]) => differs(a, b))?.[0];
}

function matterOf({ words, stems }: Prompt): readonly string[] {
  return stems.filter((_, at) => !small.has(words[at] ?? ""));
}

/** Letters of scripts that neither the rules nor the verifier can read. */
const foreign = /(?!\p{Script=Latin})\p{L}/u;

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}
