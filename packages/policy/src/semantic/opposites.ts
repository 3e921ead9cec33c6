import { type Prompt, stem } from "./words.ts";

/** Polarity: what says the opposite, and what negates. */

/** Each row: sides that exclude one another; words of one side mean the same direction. */
const rows = (
  "enable activate/disable deactivate|on/off|allow permit/deny forbid prohibit block ban disallow|increase raise grow boost/decrease lower reduce shrink cut|" +
  "close shut/open|start begin launch/stop end finish quit|add insert append create/remove delete erase drop|buy purchase/sell|install/uninstall|lock/unlock|" +
  "subscribe/unsubscribe cancel|connect/disconnect|upload/download|import/export|push/pull|send transmit/receive|lend/borrow|deposit/withdraw|freeze/unfreeze thaw|" +
  "show reveal display/hide conceal|ascending/descending|above/below|over/under|left/right|win/lose|pass/fail|accept approve/reject decline refuse|include/exclude|" +
  "arrive/depart leave|arrival/departure|early/late|earlier/later|earliest/latest|before/after|first/last|maximum max maximize/minimum min minimize|most/least|more/less fewer|" +
  "best/worst|better/worse|cheap cheapest inexpensive/expensive costly|cheaper/pricier|hot/cold|warm/cool|warmer/cooler|high/low|higher/lower|highest/lowest|always/never|true/false|" +
  "positive/negative|encode/decode|encrypt/decrypt|compress zip/extract unzip decompress|serialize/deserialize|mute/unmute|follow/unfollow|pin/unpin|attach/detach|expand/collapse|" +
  "advantage benefit pro/disadvantage drawback downside risk con|cause/prevent cure|parent/child|male/female|man/woman|men/women|boy/girl|husband/wife|mother/father|brother/sister|son/daughter|" +
  "old older oldest/new newer newest young younger youngest|long longer longest/short shorter shortest|big bigger biggest large larger largest/small smaller smallest tiny|near nearest close closest/far farthest|" +
  "inside indoor indoors/outside outdoor outdoors|breakfast/lunch/dinner supper|summer/winter|north/south/east/west|northern/southern/eastern/western|debit/credit|income/expense|sync synchronous/async asynchronous|" +
  "public/private|client/server|row/column|width/height|strong stronger/weak weaker|easy easier easiest/hard harder hardest difficult|fast faster fastest quick/slow slower slowest|light lighter/heavy heavier|" +
  "full/empty|gain/loss|gained/lost|profit/loss|import/export|input/output|internal/external|upper/lower|front/back rear|top/bottom|forward/backward|increase/decrease|" +
  "save/spend|earn/spend|lose/gain|love like/hate dislike|safe/dangerous unsafe risky|guilty/innocent|legal/illegal prohibited forbidden banned|busy/free|upgrade upgrading/downgrade downgrading|leading/trailing|beginning/end|rise/set fall|load read open/save write|ally/enemy|winner/loser|victory/defeat|alive/dead|born/die died|marry/divorce|hire/fire dismiss|" +
  "employer/employee|landlord/tenant|buyer/seller|lender/borrower|teacher/student|doctor/patient|plaintiff/defendant|sunrise/sunset|day/night|am/pm|vertical/horizontal|even/odd|singular/plural|synonym/antonym|" +
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

/** Whether one prompt takes a side that the other excludes. A prompt with both sides compares them, and takes none. */
export function opposed(a: Prompt, b: Prompt): boolean {
  const ours = sidesOf(a);
  const theirs = sidesOf(b);
  for (const [row, sides] of ours) {
    const other = theirs.get(row);
    if (other === undefined) continue;
    if (sides.size !== other.size || [...sides].some((side) => !other.has(side))) return true;
  }
  return prefixed(a, b) || prefixed(b, a);
}

/** "New York" is not new. */
const namedNew = /^(?:york|zealand|jersey|delhi|orleans|mexico|hampshire|year|england)$/;

function sidesOf({ stems, words }: Prompt): ReadonlyMap<number, ReadonlySet<number>> {
  const sides = new Map<number, Set<number>>();
  for (const [at, word] of stems.entries()) {
    if (word === "new" && namedNew.test(words[at + 1] ?? "")) continue;
    for (const { row, side } of sideOf.get(word) ?? []) {
      const known = sides.get(row);
      if (known === undefined) sides.set(row, new Set([side]));
      else known.add(side);
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

const negators = new Set(
  "not no never without none nobody nothing neither nor nowhere cannot lack lacks lacking except excluding unless hardly barely instead rather avoid".split(
    " ",
  ),
);
/** What bounds an answer: said by one and not by the other, another answer is wanted. */
const bounds = new Set("only both either least exactly average median total same different".split(" "));

/** Negations and bounds in a prompt, sorted. */
export function polarityOf({ words }: Prompt): readonly string[] {
  const found: string[] = [];
  for (const [at, word] of words.entries()) {
    // "with no" is "without".
    const lacks = word === "without" || (word === "no" && words[at - 1] === "with");
    if (lacks) found.push("without");
    else if (negators.has(word) && !(word === "no" && words[at + 1] === "idea")) found.push("negated");
    else if (bounds.has(word)) found.push(word);
  }
  return found.sort();
}
