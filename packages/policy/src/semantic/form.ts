import type { Prompt } from "./words.ts";

/** What the caller wants to know, and in what form: two prompts on one matter may still want two answers. */

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
  ["other", /\b(?:what|which|how)\b/],
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

const forms: readonly RegExp[] = [
  /\b(?:as|in|into) an? (?:\w+ )?table\b|\btabular\b/,
  /\bbullet(?:ed|s)?\b/,
  /\bjson\b/,
  /\bxml\b/,
  /\byaml\b/,
  /\bcsv\b/,
  /\bmarkdown\b/,
  /\bhtml\b/,
  /\bpoem\b|\brhymes?\b|\bhaiku\b/,
  /\bessay\b/,
  /\be?-?mails?\b|\bletter\b/,
  /\btweet\b/,
  /\bheadline\b|\btitle\b/,
  /\bsummar(?:y|i[sz]\w+|ies)\b|\bsum(?:ming|med)? up\b|\boverview\b|\bgist\b|\btl;?dr\b/,
  /\bstep[- ]by[- ]step\b/,
  /\bbrief(?:ly)?\b|\bconcise(?:ly)?\b|\bin (?:a|one) (?:sentence|word|line|paragraph)\b/,
  /\bin detail\b|\bdetailed\b|\bthorough(?:ly)?\b/,
  /\bsimple terms\b|\bfor (?:a )?(?:child|kids?|beginners?)\b|\blike i'?m\b|\beli\d+\b/,
  /\bformal(?:ly)?\b/,
  /\binformal(?:ly)?\b|\bcasual(?:ly)?\b/,
  /\bfunny\b|\bhumou?r\w*\b|\bjokes?\b|\blaugh\b/,
  /\brewrite\b|\brephrase\b|\bparaphrase\b/,
  /\bproofread\b|\bgrammar\b/,
  /\bcompar\w+\b|\bdiffer\w*\b|\bversus\b|\bvs\b|\bdistin\w+\b/,
  /\bpros and cons\b|\badvantages and\b/,
  /\b(?:best|greatest|top)\b(?! (?:way|known))/,
  /\bprons?ounc\w+\b|\bpronunciation\b/,
  /\bspell\w*\b/,
  /\balternatives?\b/,
  /\bopinion\b|\breviews?\b/,
];

/** Whether both ask something definite, and not the same. */
export function asksDiffer(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [asked(a), asked(b)];
  return ours.length > 0 && theirs.length > 0 && !ours.some((ask) => theirs.includes(ask));
}

/** Of the beginning only. */
function asked({ words }: Prompt): readonly string[] {
  const beginning = words.join(" ").replace(opening, "").split(" ").slice(0, 7).join(" ");
  const said = measures.filter(([, pattern]) => pattern.test(beginning)).map(([ask]) => ask);
  if (said.length > 0) return said;
  const manner = manners.find(([, pattern]) => pattern.test(beginning));
  if (manner !== undefined) return [manner[0]];
  const found = questions.map(([ask, pattern]) => ({ ask, at: beginning.search(pattern) })).filter(({ at }) => at >= 0);
  const first = Math.min(...found.map(({ at }) => at));
  return found.filter(({ ask, at }) => at === first && ask !== "other").map(({ ask }) => ask);
}

/** Whether one wants a form that the other does not. */
export function formsDiffer(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [a.prose.toLowerCase(), b.prose.toLowerCase()];
  return forms.some((form) => form.test(ours) !== form.test(theirs));
}
