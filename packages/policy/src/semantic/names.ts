import { isCurrencyOf, isQuantity } from "./quantities.ts";
import { type Prompt, small } from "./words.ts";

/** Names that are also known in small letters. The commonest only: others are known by their capitals, and judged by the verifier. */
const known = new Set(
  (
    "argentina australia austria bangladesh belgium brazil britain bulgaria canada chile china colombia croatia cuba denmark egypt england estonia ethiopia finland france germany ghana greece hungary iceland india " +
    "indonesia iran iraq ireland israel italy jamaica japan jordan kenya korea latvia lebanon lithuania luxembourg malaysia malta mexico morocco nepal netherlands nigeria norway pakistan peru philippines poland " +
    "portugal qatar romania russia scotland serbia singapore slovakia slovenia spain sweden switzerland syria taiwan thailand tunisia turkey uganda ukraine uruguay usa us uk eu venezuela vietnam wales zimbabwe " +
    "africa america asia europe oceania antarctica alaska arizona california colorado florida georgia hawaii illinois iowa maine michigan minnesota montana nevada ohio oregon pennsylvania tennessee texas utah vermont virginia " +
    "amsterdam athens atlanta auckland bangkok barcelona beijing berlin bogota boston brussels budapest cairo chennai chicago copenhagen dallas delhi denver detroit dubai dublin edinburgh florence frankfurt geneva hamburg " +
    "helsinki houston istanbul jakarta johannesburg karachi kyoto lagos lima lisbon liverpool london lyon madrid manchester manila marseille melbourne miami milan montreal moscow mumbai munich nairobi naples oslo osaka " +
    "paris perth philadelphia phoenix prague rio rome santiago seattle seoul shanghai stockholm sydney tokyo toronto valencia vancouver venice vienna warsaw washington zurich " +
    "english french german spanish italian portuguese dutch swedish norwegian danish finnish polish czech russian ukrainian greek turkish arabic hebrew hindi urdu bengali tamil chinese mandarin cantonese japanese korean vietnamese thai latin " +
    "american british canadian australian indian mexican brazilian irish scottish european african asian " +
    "dollar euro yen rupee peso franc krona yuan bitcoin ethereum dogecoin " +
    "python javascript typescript java rust golang ruby php perl kotlin swift scala haskell bash powershell sql mysql postgres postgresql sqlite mongodb redis react vue angular svelte django flask rails node nodejs deno numpy " +
    "pandas pytorch tensorflow docker kubernetes git github gitlab linux ubuntu debian fedora windows macos ios android iphone ipad chrome firefox safari excel word powerpoint outlook gmail " +
    "google apple microsoft amazon facebook meta netflix tesla nvidia intel amd samsung sony nintendo toyota honda bmw mercedes audi ford volkswagen paypal mastercard amex uber airbnb spotify twitter instagram whatsapp " +
    "telegram slack zoom aws azure cloudflare " +
    "mercury venus earth mars jupiter saturn uranus neptune pluto moon"
  ).split(" "),
);

/** Capitals that name nobody. */
const plainCapitals = new Set("i i'm i'd i'll i've ok okay faq asap fyi mr mrs ms dr pm am tv pc id pdf ai".split(" "));

/** Names in a prompt, in small letters, in order. */
export function namesIn(prompt: Prompt): readonly string[] {
  const { written, words, starts } = prompt;
  // In a headline, or where everything is shouted, capitals tell nothing: then each word may be a name.
  const content = words.filter((word) => !small.has(word) && /^\p{L}/u.test(word)).length;
  const capitals = written.filter((word, at) => isCapital(word) && !small.has(words[at] ?? "")).length;
  const headline = content >= 6 && capitals > content * 0.8;
  return words.flatMap((word, at) => {
    if (isCurrencyOf(words, at)) return [];
    if (known.has(word) && !isQuantity(word)) return [nameOf(word)];
    if (plainCapitals.has(word) || small.has(word) || isQuantity(word)) return [];
    if (headline) return [nameOf(word)];
    const as = written[at] ?? "";
    if (/^\p{Lu}[\p{Lu}\p{N}&.-]+$/u.test(as)) return [nameOf(word)];
    return isCapital(as) && !starts.has(at) ? [nameOf(word)] : [];
  });
}

function isCapital(word: string): boolean {
  return /^\p{Lu}/u.test(word);
}

const sameName: Readonly<Record<string, string>> = {
  america: "usa",
  us: "usa",
  american: "usa",
  britain: "uk",
  british: "uk",
  nodejs: "node",
  postgresql: "postgres",
  golang: "go",
  javascript: "js",
  typescript: "ts",
};

function nameOf(word: string): string {
  const bare = word.replace(/[.]/g, "").replace(/'s$/, "");
  return sameName[bare] ?? bare;
}

/** Whether one prompt names somebody or something that the other does not mention. */
export function namesDiffer(a: Prompt, b: Prompt): boolean {
  return missing(a, b) || missing(b, a);
}

function missing(from: Prompt, there: Prompt): boolean {
  const mentioned = new Set(there.words.map(nameOf));
  return namesIn(from).some((name) => !mentioned.has(name));
}
