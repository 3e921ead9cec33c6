import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toPrediction } from "./to-prediction.ts";
import { softmax, topIndices } from "./top-labels.ts";

const rows = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 }), {
  minLength: 1,
  maxLength: 200,
});

describe("softmax", () => {
  test("gives probabilities that sum to 1 and keep the order of the logits", () => {
    fc.assert(
      fc.property(rows, (values) => {
        const logits = Float32Array.from(values);
        const scores = Array.from(values.keys(), softmax(logits));
        expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 9);
        for (const score of scores) expect(score >= 0 && score <= 1).toBe(true);
      }),
    );
  });

  test("does not overflow on large logits", () => {
    expect([0, 1, 2].map(softmax(Float32Array.of(1e30, 1e30, -1e30)))).toEqual([0.5, 0.5, 0]);
  });
});

describe("the top labels", () => {
  test("are the k best of a full sort, ties in the order of the classes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 200 }),
        fc.nat(220),
        (values, k) => {
          const sorted = values
            .map((value, index) => ({ value, index }))
            .sort((a, b) => b.value - a.value || a.index - b.index);
          const expected = sorted.slice(0, k).map(({ index }) => index);
          expect(Array.from(topIndices(Float32Array.from(values), k))).toEqual(expected);
        },
      ),
    );
  });
});

describe("a prediction", () => {
  const labels = ["book", "cancel", "oos"];
  const logits = Float32Array.of(1, 0.9, -1);

  test("names the best label when no rule or a met bound lets it", () => {
    expect(toPrediction(logits, labels, undefined, { topK: 1, logits: false }).label).toBe("book");
    expect(toPrediction(logits, labels, { label: "oos", below: 0.3 }, { topK: 1, logits: false }).label).toBe("book");
  });

  test("below the out-of-scope bound names that label with its own score and leaves the ranking as it is", () => {
    const prediction = toPrediction(logits, labels, { label: "oos", below: 0.9 }, { topK: 2, logits: false });
    expect(prediction.label).toBe("oos");
    expect(prediction.score).toBe(softmax(logits)(2));
    expect(prediction.top.map((one) => one.label)).toEqual(["book", "cancel"]);
  });

  test("carries raw logits only when asked", () => {
    expect(toPrediction(logits, labels, undefined, { topK: 1, logits: true }).logits).toEqual(Array.from(logits));
    expect("logits" in toPrediction(logits, labels, undefined, { topK: 1, logits: false })).toBe(false);
  });
});
