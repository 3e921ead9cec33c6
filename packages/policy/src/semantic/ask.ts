import type { Prompt } from "./words.ts";

/** What the caller wants to know: two prompts on one matter may still ask two questions of it. */

/** What a question word at the beginning asks for. Later ones are often none: "the fine when I …". */
const questions: readonly (readonly [string, RegExp])[] = [
  ["who", /\bwho(?:se|m)?\b/],
  ["when", /\bwhen\b|\b(?:what|which) (?:time|date|day|year)\b/],
  ["where", /\bwhere\b|\b(?:what|which) place\b/],
  ["why", /\bwhy\b|\bhow come\b|\bwhat (?:is |was )?the reason\b/],
  [
    "manner",
    /\bhow (?:do|does|can|could|should|would|to)\b|\bwhat (?:is |are )?the (?:\w+ )?(?:way|ways|steps) (?:to|of)\b/,
  ],
  ["what", /\b(?:what|which|how)\b/],
];

/** What is asked for wherever in the beginning it is said. */
const measures: readonly (readonly [string, RegExp])[] = [
  ["how many", /\bhow many\b|\bnumber of\b|\bcount\b/],
  ["how much", /\bhow much\b|\bcosts?\b|\bprice\b/],
  ["how long", /\b(?:how|what) (?:long|length)\b|\bduration\b/],
  ["how far", /\bhow far\b|\bdistance\b/],
  ["how old", /\bhow old\b|\bage\b/],
  ["how often", /\bhow often\b|\bfrequency\b/],
];

/** Whether something may, should or must be done: three questions, and none asks how. */
const manners: readonly (readonly [string, RegExp])[] = [
  [
    "may",
    /^(?:can|may|could) (?:i|we|one)\b|^(?:is|would) it (?:be )?(?:possible|allowed|permitted|ok|okay|alright)\b|^(?:am i|are we|is one) (?:able|allowed|permitted)\b/,
  ],
  [
    "should",
    /^(?:should|ought) (?:i|we|one)\b|^(?:is|would) it (?:be )?(?:wise|advisable|smart|sensible|a (?:good|bad) idea)\b|^(?:would|do) you (?:advise|recommend|think) (?:me |i |we |that i )?(?:to|should)\b/,
  ],
  [
    "must",
    /^(?:must|shall) (?:i|we|one)\b|^do (?:i|we) (?:have|need) to\b|^is it (?:necessary|required|compulsory|mandatory|obligatory)\b|^(?:am i|are we) (?:required|obliged|forced)\b/,
  ],
  ["manner", /^(?:is there a |the |\w+ )?(?:way|ways|steps) to\b/],
];
/** Manners, after which a question begins. */
const opening =
  /^(?:(?:please|hi|hello|hey|so|ok|okay|well|sorry|just|quick question|(?:can|could|would|will) you (?:please )?(?:tell|show|explain|let) (?:to )?(?:me|us)(?: know)?|(?:do|did) you know(?: if| whether)?|tell me|i (?:would like|want|need) to know|i (?:was|am) wondering|i wonder) )+/;

/** Beginnings of questions that are answered by yes or no. */
const yesOrNo = /^(?:is|are|am|was|were|do|does|did|has|have|had|can|could|may|might|should|must|shall|will|would)\b/;
const decided = new Set(["may", "should", "must", "whether"]);

/** Whether both ask something definite, and not the same. */
export function asksDiffer(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [asked(a), asked(b)];
  if (ours.length === 0 || theirs.length === 0 || ours.some((ask) => theirs.includes(ask))) return false;
  const [ourYes, theirYes] = [ours.some((ask) => decided.has(ask)), theirs.some((ask) => decided.has(ask))];
  if (ours.includes("whether") || theirs.includes("whether")) {
    // "Is there a way to …" asks how, and any yes or no may be what one may, should or must.
    return ourYes !== theirYes && !ours.includes("manner") && !theirs.includes("manner");
  }
  return ourYes !== theirYes || !(ours.includes("what") || theirs.includes("what"));
}

/** Of the beginning only: what is asked for, in one word; nothing where no word says. */
function asked({ words }: Prompt): readonly string[] {
  const beginning = words.join(" ").replace(opening, "").split(" ").slice(0, 7).join(" ");
  const said = measures.filter(([, pattern]) => pattern.test(beginning)).map(([ask]) => ask);
  if (said.length > 0) return said;
  const manner = manners.find(([, pattern]) => pattern.test(beginning));
  if (manner !== undefined) return [manner[0]];
  if (yesOrNo.test(beginning)) return ["whether"];
  const found = questions.map(([ask, pattern]) => ({ ask, at: beginning.search(pattern) })).filter(({ at }) => at >= 0);
  const first = Math.min(...found.map(({ at }) => at));
  const here = found.filter(({ at }) => at === first).map(({ ask }) => ask);
  return here.length > 1 ? here.filter((ask) => ask !== "what") : here;
}
