/** A prompt taken apart once, for all rules. */
export interface Prompt {
  readonly text: string;
  /** Without quoted text and code, which have rules of their own. */
  readonly prose: string;
  /** Words of the prose as written, in order; contractions taken apart ("don't" is "do", "not"). */
  readonly written: readonly string[];
  /** The same in small letters. */
  readonly words: readonly string[];
  /** The same as stems. */
  readonly stems: readonly string[];
  /** Where sentences begin, as places in `words`. */
  readonly starts: ReadonlySet<number>;
}

/** "Good morning" is no time. */
const greeting = /^\s*good (?:morning|afternoon|evening)\b/i;
const wordPattern = /[\p{L}\p{N}]+(?:[.,:/'’+#-]+[\p{L}\p{N}]+)*[+#%°]*|[$€£¥%°]|[.!?;:\n]/gu;

/** Takes prose apart. `prose` has quoted text and code cut out of `text`. */
export function readPrompt(text: string, prose: string): Prompt {
  const written: string[] = [];
  const starts = new Set<number>([0]);
  for (const [token] of plain(prose).replace(greeting, "").matchAll(wordPattern)) {
    if (/^[.!?;:\n]$/.test(token)) starts.add(written.length);
    else written.push(...contracted(token));
  }
  const words = written.map((word) => word.toLowerCase());
  return { text, prose, written, words, stems: words.map(stem), starts };
}

const operators: Readonly<Record<string, string>> = {
  "*": "times",
  "×": "times",
  "+": "plus",
  "-": "minus",
  "/": "divided",
  "÷": "divided",
  "=": "equals",
  "<": "less",
  ">": "more",
};

/** One spelling for what keyboards spell in several ways, and words for signs that stand alone. */
function plain(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/[’‘]/g, "'")
    .replace(/[‐‑–—]/g, "-")
    .replace(/(?<=[\s\d])[*×+/÷=<>-](?=\s)|(?<=\d)[*×+÷=<>](?=\d)/g, (sign) => ` ${operators[sign] ?? sign} `);
}

const irregular: Readonly<Record<string, readonly string[]>> = {
  "can't": ["can", "not"],
  cannot: ["can", "not"],
  "won't": ["will", "not"],
  "shan't": ["shall", "not"],
  cant: ["can", "not"],
  dont: ["do", "not"],
  doesnt: ["does", "not"],
  didnt: ["did", "not"],
  isnt: ["is", "not"],
  wont: ["will", "not"],
};
const endings: Readonly<Record<string, string>> = {
  "'s": "",
  "'re": "are",
  "'ve": "have",
  "'ll": "will",
  "'d": "would",
  "'m": "am",
};

function contracted(token: string): readonly string[] {
  const low = token.toLowerCase();
  const known = irregular[low];
  if (known !== undefined) return known;
  if (low.endsWith("n't")) return [token.slice(0, -3), "not"];
  const at = token.indexOf("'");
  const ending = at > 0 ? endings[low.slice(at)] : undefined;
  if (ending === undefined) return [token];
  return ending === "" ? [token.slice(0, at)] : [token.slice(0, at), ending];
}

/**
 * A light stem: enough that "enabling" and "enabled" meet in "enabl". It only ever joins words for a comparison; words it joins
 * wrongly make two prompts look alike, never different, and the verifier sees the words themselves.
 */
export function stem(word: string): string {
  if (word.length < 4 || /[^a-z]/.test(word)) return word;
  let root = word;
  if (/ies$/.test(root) && root.length > 4) root = `${root.slice(0, -3)}y`;
  else if (/(?:ss|x|ch|sh)es$/.test(root)) root = root.slice(0, -2);
  else if (/[^su]s$/.test(root)) root = root.slice(0, -1);
  if (/(?:ing|ed)$/.test(root) && /[aeiouy].*(?:ing|ed)$/.test(root)) {
    const bare = root.replace(/(?:ing|ed)$/, "");
    if (bare.length >= 3)
      root = bare.replace(/([b-df-hj-np-tv-z])\1$/, (all, one: string) => (/[lsz]/.test(one) ? all : one));
  }
  return root.length > 4 ? root.replace(/e$/, "") : root;
}

/** Words that carry no matter of their own: their presence or absence tells nothing. */
export const small = new Set(
  (
    "a an the is are am was were be been being do does did have has had will would can could should may might must shall i you we they he " +
    "she it me us them my your our their his her its this that these those of in on at to for with by from as and or so if then than there here " +
    "please kindly thanks thank hi hello hey just really very also too tell explain show give let know want need like help get got " +
    "what which who whom whose when where why how much many some any way about into out up"
  ).split(" "),
);
