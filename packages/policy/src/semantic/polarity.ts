import { oppositions } from "./opposites.ts";
import { type Prompt, stem } from "./words.ts";

/** What negates or bounds an answer. */

const negators = new Set(
  "not no never without none nobody nothing neither nor nowhere cannot lack lacks lacking except excluding unless hardly barely instead rather avoid".split(
    " ",
  ),
);
/** Whether a word negates by itself. */
export function isNegator(word: string): boolean {
  return negators.has(word);
}

/** What bounds an answer: said by one and not by the other, another answer is wanted. */
const bounds = new Set("only both either least exactly average median total same different".split(" "));

/** Words that hold a "not": "I can't log in", "I have trouble logging in". */
const negative = new Set(
  (
    "stop quit cease cancel terminate prevent unable trouble difficulty fail failed refuse reject decline deny distrust mistrust forbid forbidden prohibit prohibited illegal ban banned " +
    "impossible miss missing broken skip mute"
  )
    .split(" ")
    .map(stem),
);

/**
 * Whether one prompt negates or bounds what the other does not. One "not" may be said by a word of the other's that holds it, or by
 * the opposite word: that is left to the verifier.
 */
export function polarityDiffers(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [polarityOf(a), polarityOf(b)];
  if (ours.join(" ") === theirs.join(" ")) return false;
  const held = (oneMore(ours, theirs) && holds(b, a)) || (oneMore(theirs, ours) && holds(a, b));
  return !held && !cancels(a, b);
}

/** Whether one "not" more meets one opposite: "not legal" and "illegal". */
export function cancels(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [polarityOf(a), polarityOf(b)];
  return (oneMore(ours, theirs) || oneMore(theirs, ours)) && oppositions(a, b) === 1;
}

/** Whether the first has one "not" more, and nothing else is different. */
function oneMore(ours: readonly string[], theirs: readonly string[]): boolean {
  const at = ours.indexOf("negated");
  return at >= 0 && ours.toSpliced(at, 1).join(" ") === theirs.join(" ");
}

/** Whether a prompt has a word with a "not" in it, which the other lacks. */
function holds({ stems }: Prompt, other: Prompt): boolean {
  return stems.some((word) => negative.has(word) && !other.stems.includes(word));
}

/** Negations and bounds in a prompt, sorted. */
function polarityOf({ words }: Prompt): readonly string[] {
  const found: string[] = [];
  for (const [at, word] of words.entries()) {
    const next = words[at + 1];
    // "with no" is "without".
    const lacks = word === "without" || (word === "no" && words[at - 1] === "with");
    if (lacks) found.push("without");
    else if (negators.has(word) && !(word === "no" && next === "idea")) found.push("negated");
    else if (bounds.has(word) && !(word === "different" && next === "from")) found.push(word);
  }
  return found.sort();
}
