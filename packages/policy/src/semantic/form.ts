import type { Prompt } from "./words.ts";

/** In what form the caller wants it: two prompts on one matter may still want two answers. */

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

/** Whether one wants a form that the other does not. */
export function formsDiffer(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [a.prose.toLowerCase(), b.prose.toLowerCase()];
  return forms.some((form) => form.test(ours) !== form.test(theirs));
}
