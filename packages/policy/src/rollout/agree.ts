import type { PredictAnswer } from "@ledge/contract";

/** Two embeddings that point this much the same way are taken for the same. */
const cosineMin = 0.99;

/** Whether two versions said the same of every input: the same best label, or embeddings of a cosine of at least 0.99. */
export function agree(one: PredictAnswer, other: PredictAnswer): boolean {
  if (one.predictions.length !== other.predictions.length) return false;
  return one.predictions.every((mine, row) => {
    const theirs = other.predictions[row];
    if (theirs === undefined) return false;
    if (mine.embedding === undefined || theirs.embedding === undefined)
      return mine.label === theirs.label && mine.label !== undefined;
    return cosine(mine.embedding, theirs.embedding) >= cosineMin;
  });
}

/** Of vectors of different length, or of nothing but zeros, −1: they agree in nothing. */
function cosine(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return -1;
  let [dot, aa, bb] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? -1 : dot / Math.sqrt(aa * bb);
}
