import { type Prompt, small, stem } from "./words.ts";

/** Polarity: what says the opposite, and what negates. */

/** Each row: sides that exclude one another; words of one side mean the same direction. */
const rows = (
  "enable activate/disable deactivate|on/off|allow permit/deny forbid prohibit block ban disallow|increase raise grow boost/decrease lower reduce shrink cut|" +
  "close shut/open|start begin launch/stop end finish quit|add insert append create/remove delete erase drop|buy purchase/sell|install/uninstall|lock/unlock|" +
  "subscribe/unsubscribe cancel|connect/disconnect|upload/download|import/export|push/pull|send transmit/receive|lend/borrow|deposit/withdraw|freeze/unfreeze thaw|" +
  "show reveal display/hide conceal|ascending/descending|above/below|over/under|left/right|win beat defeat/lose|pass/fail|accept approve/reject decline refuse|include/exclude|" +
  "arrive/depart leave|arrival/departure|early/late|earlier/later|earliest/latest|before/after|first/last|maximum max maximize/minimum min minimize|most/least|more/less fewer|" +
  "best/worst|better/worse|cheap cheapest inexpensive/expensive costly|cheaper/pricier|hot/cold|warm/cool|warmer/cooler|high/low|higher/lower|highest/lowest|always/never|true/false|" +
  "positive/negative|encode/decode|encrypt/decrypt|compress zip/extract unzip decompress|serialize/deserialize|mute/unmute|follow/unfollow|pin/unpin|attach/detach|expand/collapse|" +
  "advantage benefit pro/disadvantage drawback downside risk con|cause/prevent cure|parent/child|male/female|man/woman|men/women|boy/girl|husband/wife|mother/father|brother/sister|son/daughter|" +
  "old older oldest/new newer newest young younger youngest|long longer longest/short shorter shortest|big bigger biggest large larger largest/small smaller smallest tiny|near nearest close closest/far farthest|" +
  "inside indoor indoors/outside outdoor outdoors|breakfast/lunch/dinner supper|summer/winter|north/south/east/west|northern/southern/eastern/western|debit/credit|income/expense|sync synchronous/async asynchronous|" +
  "public/private|client/server|row/column|width/height|strong stronger/weak weaker|easy easier easiest/hard harder hardest difficult|fast faster fastest quick/slow slower slowest|light lighter/heavy heavier|" +
  "full/empty|gain/loss|gained/lost|profit/loss|input/output|internal/external|upper/lower|front/back rear|top/bottom|forward/backward|" +
  "save/spend|earn/spend|lose/gain|love like/hate dislike|safe/dangerous unsafe risky|guilty/innocent|legal/illegal prohibited forbidden banned|busy/free|upgrade upgrading/downgrade downgrading|leading/trailing|beginning/end|rise/set fall|load read open/save write|ally/enemy|winner/loser|victory/defeat|alive/dead|born/die died|marry/divorce|hire/fire dismiss|" +
  "employer/employee|landlord/tenant|buyer/seller|lender/borrower|teacher/student|doctor/patient|plaintiff/defendant|sunrise/sunset|day/night|vertical/horizontal|even/odd|singular/plural|synonym/antonym|" +
  "sum plus/difference minus subtract/times product multiply multiplied/divided divide quotient|numerator/denominator|predecessor/successor|previous/next|ancestor/descendant|absorb/emit|attract/repel|wet/dry|raw/cooked|vegetarian vegan/meat|" +
  "sweet/salty savory sour|domestic/international|local/remote|manual/automatic|temporary temporarily/permanent permanently|optional/mandatory required|merge/split|lend/return|check-in/check-out|checkin/checkout|inbound/outbound|one-way/round-trip"
).split("|");

const sideOf = new Map<string, { readonly row: number; readonly side: number }[]>();
for (const [row, sides] of rows.entries()) {
  for (const [side, words] of sides.split("/").entries()) {
    for (const word of words.split(" ")) {
      const known = sideOf.get(stem(word));
      if (known === undefined) sideOf.set(stem(word), [{ row, side }]);
      else known.push({ row, side });
    }
  }
}

/** How often one prompt takes a side that the other excludes. A prompt with both sides compares them, and takes none. */
export function oppositions(a: Prompt, b: Prompt): number {
  const byRows = opposedWords(a, b).length;
  return byRows > 0 ? byRows : Number(prefixed(a, b) || prefixed(b, a));
}

/** Words of which one excludes the other and which each say a relation from one of its ends: "older" and "younger", not "on" and "off". */
const relations = new Set(
  (
    "buy purchase sell lend borrow import export before after earlier later older younger bigger larger smaller taller shorter longer higher lower more less fewer " +
    "better worse win beat defeat lose lost won above below over under near far faster slower hotter colder warmer cooler cheaper pricier heavier lighter stronger weaker " +
    "easier harder send receive teach learn parent child teacher student doctor patient husband wife employer employee landlord tenant buyer seller lender borrower"
  )
    .split(" ")
    .map(stem),
);

/**
 * Whether the prompts oppose each other in one relation only, and name its ends in another order: "is Ann older than Bo" and "is
 * Bo younger than Ann" are one question. No rule can tell whether they are; the verifier must.
 */
export function converse(a: Prompt, b: Prompt): boolean {
  const said = opposedWords(a, b);
  const [ours = [], ...more] = said;
  if (more.length > 0 || ours.length === 0 || !ours.every((word) => relations.has(word))) return false;
  const ends = (from: Prompt, other: Prompt) =>
    [...new Set(from.stems)].filter((word) => other.stems.includes(word) && !ours.includes(word) && !small.has(word));
  return ends(a, b).join(" ") !== ends(b, a).join(" ");
}

/** For each row of which the prompts take different sides, the stems that say so. */
function opposedWords(a: Prompt, b: Prompt): readonly (readonly string[])[] {
  const [ours, theirs] = [sidesOf(a), sidesOf(b)];
  return [...ours].flatMap(([row, sides]) => {
    const other = theirs.get(row);
    if (other === undefined) return [];
    if (sides.size === other.size && [...sides.keys()].every((side) => other.has(side))) return [];
    return [[...sides.values(), ...other.values()].flat()];
  });
}

/** "New York" is not new. */
const namedNew = /^(?:york|zealand|jersey|delhi|orleans|mexico|hampshire|year|england)$/;

/** By row, by side of it: the stems in the prompt that take it. */
function sidesOf({ stems, words }: Prompt): ReadonlyMap<number, ReadonlyMap<number, readonly string[]>> {
  const sides = new Map<number, Map<number, string[]>>();
  for (const [at, word] of stems.entries()) {
    if (word === "new" && namedNew.test(words[at + 1] ?? "")) continue;
    for (const { row, side } of sideOf.get(word) ?? []) {
      const known = sides.get(row) ?? new Map<number, string[]>();
      known.set(side, [...(known.get(side) ?? []), word]);
      sides.set(row, known);
    }
  }
  return sides;
}

const prefixes = ["un", "in", "im", "il", "ir", "dis", "non", "non-", "de", "mis", "anti", "anti-", "ab", "a"];

/** "legal" here and "illegal" there, where neither has both. */
function prefixed({ stems: plain }: Prompt, { stems: other }: Prompt): boolean {
  const there = new Set(other);
  const here = new Set(plain);
  return plain.some(
    (word) =>
      word.length >= 4 &&
      !there.has(word) &&
      prefixes.some((prefix) => there.has(prefix + word) && !here.has(prefix + word)),
  );
}
