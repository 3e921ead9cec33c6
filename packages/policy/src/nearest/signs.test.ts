import { expect, test } from "vitest";
import { bitsApart } from "../../../../test/support/bits.ts";
import { clusteredVectors } from "../../../../test/support/clustered-vectors.ts";
import { sketchWords } from "./rows.ts";
import { Sketcher } from "./signs.ts";

test("vectors at an angle differ in that share of the signs of their sketches, within 5 standard deviations", () => {
  const source = clusteredVectors(384, 9);
  const sketcher = new Sketcher(384);
  for (let pair = 0; pair < 50; pair++) {
    const [a, b] = [source.next(), source.next()];
    const cosine = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    const sketches = [a, b].map((vector) => {
      const sketch = new Int32Array(sketchWords);
      sketcher.write(vector, sketch);
      return sketch;
    });
    const distance = bitsApart(sketches[0], sketches[1]);
    const share = Math.acos(cosine) / Math.PI;
    const deviation = Math.sqrt(256 * share * (1 - share));
    expect(Math.abs(distance - 256 * share)).toBeLessThan(5 * deviation);
  }
});

test("a sketch does not depend on the vector's length, nor on what was sketched before", () => {
  const source = clusteredVectors(300, 10);
  const [a, b] = [source.next(), source.next()];
  const sketches = Array.from({ length: 3 }, () => new Int32Array(sketchWords));
  const sketcher = new Sketcher(300);
  const written = [a, b, a.map((value) => value * 3)];
  for (const [at, sketch] of sketches.entries()) sketcher.write(written[at] ?? a, sketch);
  expect(sketches[2]).toEqual(sketches[0]);
  expect(sketches[1]).not.toEqual(sketches[0]);
});
