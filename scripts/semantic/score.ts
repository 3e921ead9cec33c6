import { type Disagreement, disagreement, pairText } from "@ledge/policy";
import type { Pair } from "./pairs.ts";

/** What the parts of the semantic cache say of a pair. */
export interface Score extends Pair {
  /** Cosine of the two prompts' vectors. */
  readonly similarity: number;
  /** Absent where no rule objects. */
  readonly refusedBy?: Disagreement;
  /** The verifier's, of "same". */
  readonly probability: number;
}

export interface Models {
  /** Of length 1. */
  embed(text: string): Promise<readonly number[]>;
  /** Probability that the two prompts in the text want the same answer. */
  verify(text: string): Promise<number>;
}

export async function score(pair: Pair, { embed, verify }: Models): Promise<Score> {
  const { a, b } = pair;
  const [ours, theirs] = [await embed(a), await embed(b)];
  const similarity = ours.reduce((sum, x, at) => sum + x * (theirs[at] ?? 0), 0);
  const refusedBy = disagreement(a, b);
  const probability = await verify(pairText(a, b));
  return { ...pair, similarity, probability, ...(refusedBy === undefined ? {} : { refusedBy }) };
}

/** Whether the first prompt's answer would be given to the second. */
export type Judge = (score: Score) => boolean;

export const byCosine =
  (similarityMin: number): Judge =>
  ({ similarity }) =>
    similarity >= similarityMin;

export const byChain =
  (probabilityMin: number, similarityMin: number): Judge =>
  ({ similarity, refusedBy, probability }) =>
    similarity >= similarityMin && refusedBy === undefined && probability >= probabilityMin;

export interface Rate {
  readonly share: number;
  readonly of: number;
  /** Wilson's interval, 95 %. */
  readonly low: number;
  readonly high: number;
}

export interface Verdict {
  /** True paraphrases that hit, of all. */
  readonly hits: Rate;
  /** Hits that are false, of all hits. */
  readonly falseHits: Rate;
  /** False hits of each group of pairs that are not the same, of all pairs in it. */
  readonly byGroup: Readonly<Record<string, Rate>>;
}

export function judged(scores: readonly Score[], judge: Judge): Verdict {
  const hit = scores.filter(judge);
  const wrong = hit.filter(({ same }) => !same);
  const same = scores.filter((one) => one.same);
  const groups = [...new Set(scores.filter((one) => !one.same).map(({ group }) => group))];
  return {
    hits: rate(hit.length - wrong.length, same.length),
    falseHits: rate(wrong.length, hit.length),
    byGroup: Object.fromEntries(
      groups.map((group) => {
        const all = scores.filter((one) => one.group === group && !one.same);
        return [group, rate(all.filter(judge).length, all.length)];
      }),
    ),
  };
}

/** Wilson's score interval: honest at 0 and at few. */
export function rate(count: number, of: number): Rate {
  if (of === 0) return { share: 0, of, low: 0, high: 1 };
  const z = 1.96;
  const share = count / of;
  const middle = (share + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of))) / (1 + (z * z) / of);
  return { share, of, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
