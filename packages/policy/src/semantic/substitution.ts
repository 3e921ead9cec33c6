import { isNegator } from "./polarity.ts";
import { isQuantity } from "./quantities.ts";
import { synonyms } from "./synonyms.ts";
import { type Prompt, small, stem } from "./words.ts";

/** The same sentence with another thing in one place: "do monsteras survive a winter", "do fuchsias survive a winter". */

const wordsMax = 3;
/** Words that may be there or not. */
const padding = new Set(
  "actually currently exactly quickly simply right now today please kindly properly myself yourself possible possibly ever already still again anyway good best own using use way".split(
    " ",
  ),
);
const manners = new Set(
  "please thanks thank you hi hello hey kindly appreciate sorry excuse well ok okay so just".split(" "),
);

/**
 * Whether the prompts are alike but for a few words in one place, and those words stand for different things. Spans that hold small
 * words ("who founded", "founders of") may say one thing in two ways, and are left to the verifier.
 */
export function substituted(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [bare(a), bare(b)];
  const most = Math.min(ours.length, theirs.length);
  let before = 0;
  while (before < most && ours[before] === theirs[before]) before++;
  let after = 0;
  while (after < most - before && ours.at(-1 - after) === theirs.at(-1 - after)) after++;
  const shared = [...ours.slice(0, before), ...ours.slice(ours.length - after)];
  const [mine, yours] = [ours.slice(before, ours.length - after), theirs.slice(before, theirs.length - after)];
  if (mine.length > wordsMax || yours.length > wordsMax || mine.length + yours.length === 0) return false;
  if (!shared.some((word) => !small.has(word)) || shared.length < 2) return false;
  if (![...mine, ...yours].every(tellsApart)) return false;
  return !mine.some((one) => yours.some((other) => synonyms(stem(one), stem(other))));
}

/** Whether a word carries matter that no other rule compares. */
function tellsApart(word: string): boolean {
  return !small.has(word) && !padding.has(word) && !isNegator(word) && !isQuantity(word) && /^\p{L}/u.test(word);
}

/** Without articles and manners. */
function bare({ words }: Prompt): readonly string[] {
  return words.filter((word) => !/^(?:a|an|the|my)$/.test(word) && !manners.has(word));
}
