import type { Prompt } from "./words.ts";

/** What the caller wants to know, and in what form: two prompts on one matter may still want two answers. */

const asks: readonly (readonly [string, RegExp])[] = [
  ["who", /\bwho(?:se|m)?\b/],
  ["when", /\bwhen\b|\bwhat (?:time|date|day|year)\b/],
  ["where", /\bwhere\b/],
  ["why", /\bwhy\b|\bhow come\b|\bwhat (?:is |was )?the reason\b/],
  ["how many", /\bhow many\b|\bnumber of\b|\bcount\b/],
  ["how much", /\bhow much\b|\bcosts?\b|\bprice\b/],
  ["how long", /\b(?:how|what) (?:long|length)\b|\bduration\b/],
  ["how far", /\bhow far\b|\bdistance\b/],
  ["how old", /\bhow old\b|\bage\b/],
  ["how often", /\bhow often\b|\bfrequency\b/],
];

const forms: readonly RegExp[] = [
  /\btables?\b|\btabular\b/,
  /\bbullet(?:ed|s)?\b/,

  /\bjson\b/,
  /\bxml\b/,
  /\byaml\b/,
  /\bcsv\b/,
  /\bmarkdown\b/,
  /\bhtml\b/,
  /\bpoem\b|\brhymes?\b|\bhaiku\b/,

  /\bessay\b/,
  /\bemail\b|\bletter\b/,
  /\btweet\b/,
  /\bheadline\b|\btitle\b/,
  /\bsummar(?:y|i[sz]e|ies)\b|\btl;?dr\b/,
  /\btranslat\w+|\bhow (?:do|would) (?:you|i|we) say\b/,
  /\bstep[- ]by[- ]step\b/,
  /\bexamples?\b/,
  /\bcode\b|\bscript\b|\bfunction\b|\bsnippet\b/,
  /\bbrief(?:ly)?\b|\bconcise(?:ly)?\b|\bin (?:a|one) (?:sentence|word|line|paragraph)\b/,
  /\bin detail\b|\bdetailed\b|\bthorough(?:ly)?\b/,
  /\bsimple terms\b|\bfor (?:a )?(?:child|kids?|beginners?)\b|\blike i'?m\b|\beli\d+\b/,
  /\bformal(?:ly)?\b/,
  /\binformal(?:ly)?\b|\bcasual(?:ly)?\b/,
  /\bfunny\b|\bhumou?r\w*\b|\bjokes?\b/,
  /\brewrite\b|\brephrase\b|\bparaphrase\b/,
  /\bproofread\b|\bgrammar\b/,
  /\bcompare\b|\bdifferences?\b|\bversus\b|\bvs\b/,
  /\bdefin(?:e[ds]?|itions?)\b/,
  /\bpros and cons\b|\badvantages and\b/,
  /\brecommend\w*\b|\bsuggest\w*\b|\bbest\b/,

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

/** Of the beginning only: later "who" and "when" are often no questions. */
function asked({ words }: Prompt): readonly string[] {
  const beginning = words.slice(0, 7).join(" ");
  return asks.filter(([, pattern]) => pattern.test(beginning)).map(([ask]) => ask);
}

/** Whether one wants a form that the other does not. */
export function formsDiffer(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [a.prose.toLowerCase(), b.prose.toLowerCase()];
  return forms.some((form) => form.test(ours) !== form.test(theirs));
}
