import type { PredictAnswer, Prediction } from "@ledge/contract";
import { expect, test } from "vitest";
import { agree } from "./agree.ts";

const timings = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
const answer = (...predictions: Prediction[]): PredictAnswer => ({ predictions, inputTokens: 1, timings });
const label = (name: string, score: number): Prediction => ({ label: name, score, top: [] });

test("answers agree when every input got the same best label, whatever its score", () => {
  expect(agree(answer(label("a", 0.9), label("b", 0.5)), answer(label("a", 0.4), label("b", 0.6)))).toBe(true);
  expect(agree(answer(label("a", 0.9), label("b", 0.5)), answer(label("a", 0.9), label("c", 0.5)))).toBe(false);
});

test("embeddings agree when their cosine is at least 0.99, whatever their lengths", () => {
  expect(agree(answer({ embedding: [1, 0] }), answer({ embedding: [2, 0.1] }))).toBe(true);
  expect(agree(answer({ embedding: [1, 0] }), answer({ embedding: [1, 0.2] }))).toBe(false);
});

test("answers of different shape never agree", () => {
  expect(agree(answer(label("a", 1)), answer())).toBe(false);
  expect(agree(answer(label("a", 1)), answer({ embedding: [1] }))).toBe(false);
  expect(agree(answer({ embedding: [1] }), answer({ embedding: [1, 0] }))).toBe(false);
  expect(agree(answer({ embedding: [0] }), answer({ embedding: [0] }))).toBe(false);
});
