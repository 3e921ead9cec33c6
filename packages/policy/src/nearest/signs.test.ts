import fc from "fast-check";
import { expect, test } from "vitest";
import { clusteredVectors } from "../../../../test/support/clustered-vectors.ts";
import { countDifferences, Sketcher, sketchWords } from "./signs.ts";

function onesOf(word: number): number {
  let count = 0;
  for (let bits = word >>> 0; bits > 0; bits = Math.floor(bits / 2)) count += bits % 2;
  return count;
}

test("differences are counted to the bit, and every one of them", () => {
  const words = (rows: number) => fc.int32Array({ minLength: rows * sketchWords, maxLength: rows * sketchWords });
  fc.assert(
    fc.property(words(1), words(20), (query, random) => {
      const opposite = query.map((bits) => ~bits);
      const sketches = new Int32Array([...query, ...opposite, ...random]);
      const rows = sketches.length / sketchWords;
      const distances = new Uint16Array(rows + 3);
      const histogram = new Int32Array(257);
      countDifferences(sketches, rows, query, distances, 3, histogram);
      const expected = Array.from({ length: rows }, (_, row) =>
        query.reduce((sum, bits, at) => sum + onesOf(bits ^ (sketches[row * sketchWords + at] ?? 0)), 0),
      );
      expect([...distances.subarray(3)]).toEqual(expected);
      expect(expected.slice(0, 2)).toEqual([0, 256]);
      expect([...histogram]).toEqual(Array.from({ length: 257 }, (_, d) => expected.filter((one) => one === d).length));
    }),
  );
});

test("vectors at an angle differ in that share of the signs of their sketches, within 5 standard deviations", () => {
  const source = clusteredVectors(384, 9);
  const sketcher = new Sketcher(384);
  for (let pair = 0; pair < 50; pair++) {
    const [a, b] = [source.next(), source.next()];
    const cosine = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    const sketches = new Int32Array(2 * sketchWords);
    sketcher.write(a, sketches, 0);
    sketcher.write(b, sketches, sketchWords);
    const distances = new Uint16Array(1);
    countDifferences(sketches.subarray(0, 8), 1, sketches.subarray(8), distances, 0, new Int32Array(257));
    const share = Math.acos(cosine) / Math.PI;
    const deviation = Math.sqrt(256 * share * (1 - share));
    expect(Math.abs((distances[0] ?? 0) - 256 * share)).toBeLessThan(5 * deviation);
  }
});

test("a sketch does not depend on the vector's length, nor on what was sketched before", () => {
  const source = clusteredVectors(300, 10);
  const [a, b] = [source.next(), source.next()];
  const sketches = new Int32Array(3 * sketchWords);
  const sketcher = new Sketcher(300);
  sketcher.write(a, sketches, 0);
  sketcher.write(b, sketches, sketchWords);
  sketcher.write(
    a.map((value) => value * 3),
    sketches,
    2 * sketchWords,
  );
  expect(sketches.subarray(16)).toEqual(sketches.subarray(0, 8));
});
