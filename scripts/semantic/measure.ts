import { join } from "node:path";
import { parseArgs } from "node:util";
import { nativeModel } from "../../test/support/native-model.ts";
import { repoRoot } from "../repo.ts";
import { readPairs } from "./pairs.ts";
import { byChain, byCosine, type Judge, judged, type Rate, type Score, score } from "./score.ts";

/** How often the semantic cache is right, on pairs of prompts: the chain at several thresholds, beside cosine alone. */

const usage = `Usage: npm run measure:semantic -- [options]

Scores pairs of prompts as the semantic cache would, and prints how many true paraphrases hit and how many hits are false.

  --pairs FILE       JSON lines {a, b, same, group, by}. Default: the verifier's test pairs
  --similarity MIN   the cosine below which nothing is a candidate. Default 0.5
  --misses           also print the false hits, and 40 paraphrases that did not hit, with the reason
  --help`;

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: join(repoRoot, "models", "same-answer", "1", "test-pairs.txt") },
    similarity: { type: "string", default: "0.5" },
    misses: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(usage);
else await measure(values.pairs, Number(values.similarity), values.misses);

async function measure(path: string, similarityMin: number, misses: boolean): Promise<void> {
  const pairs = readPairs(path);
  const embedder = await nativeModel("embed");
  const verifier = await nativeModel("same-answer");
  const models = {
    embed: async (text: string) => (await embedder(text)).embedding ?? [],
    verify: async (text: string) => (await verifier(text)).top?.find(({ label }) => label === "same")?.score ?? 0,
  };
  const scores: Score[] = [];
  for (const pair of pairs) {
    scores.push(await score(pair, models));
    if (process.stderr.isTTY) process.stderr.write(`\r${scores.length} of ${pairs.length}`);
  }
  print(scores, similarityMin);
  if (misses) printMisses(scores, byChain(0.9, similarityMin));
}

function print(scores: readonly Score[], similarityMin: number): void {
  const groups = [...new Set(scores.filter(({ same }) => !same).map(({ group }) => group))];
  console.log(`\n| judge | paraphrases that hit | false hits of all hits | ${groups.join(" | ")} |`);
  console.log(`|---|---|---|${groups.map(() => "---|").join("")}`);
  const row = (name: string, judge: Judge) => {
    const { hits, falseHits, byGroup } = judged(scores, judge);
    const cells = groups.map(
      (group) => `${Math.round((byGroup[group]?.share ?? 0) * (byGroup[group]?.of ?? 0))} of ${byGroup[group]?.of}`,
    );
    console.log(`| ${name} | ${said(hits)} | ${said(falseHits)} | ${cells.join(" | ")} |`);
  };
  for (const least of [0.8, 0.9, 0.95]) row(`cosine ${least}`, byCosine(least));
  row("rules alone", ({ refusedBy, similarity }) => refusedBy === undefined && similarity >= similarityMin);
  for (const least of [0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995]) {
    row(
      `verifier alone ${least}`,
      ({ probability, similarity }) => probability >= least && similarity >= similarityMin,
    );
    row(`chain ${least}`, byChain(least, similarityMin));
  }
}

function said({ share, low, high }: Rate): string {
  const percent = (part: number) => (part * 100).toFixed(1);
  return `${percent(share)} % (${percent(low)} to ${percent(high)})`;
}

function printMisses(scores: readonly Score[], judge: Judge): void {
  const line = ({ a, b, group, similarity, probability, refusedBy }: Score) =>
    `${group} ${similarity.toFixed(3)} ${probability.toFixed(3)} ${refusedBy ?? "-"} | ${a} | ${b}`;
  console.log("\nfalse hits");
  for (const one of scores.filter((each) => judge(each) && !each.same)) console.log(line(one));
  console.log("\nparaphrases that did not hit");
  for (const one of scores.filter((each) => !judge(each) && each.same).slice(0, 40)) console.log(line(one));
}
