import { type Prompt, stem } from "./words.ts";

/** What negates or bounds an answer. */

const negators = new Set(
  "not no never without none nobody nothing neither nor nowhere cannot lack lacks lacking except excluding unless hardly barely instead rather avoid".split(
    " ",
  ),
);
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
 * Whether one prompt negates or bounds what the other does not. One "not" may be said by a word of the other's that holds it: that
 * is left to the verifier.
 */
export function polarityDiffers(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [polarityOf(a), polarityOf(b)];
  if (ours.join(" ") === theirs.join(" ")) return false;
  return !(heldBy(a, ours, b, theirs) || heldBy(b, theirs, a, ours));
}

/** Whether `b` has a word that holds the one "not" that `a` says more. */
function heldBy(a: Prompt, ours: readonly string[], b: Prompt, theirs: readonly string[]): boolean {
  const at = ours.indexOf("negated");
  if (at < 0 || ours.toSpliced(at, 1).join(" ") !== theirs.join(" ")) return false;
  return b.stems.some((word) => negative.has(word) && !a.stems.includes(word));
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
