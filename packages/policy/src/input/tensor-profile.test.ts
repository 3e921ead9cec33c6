import type { Tensor, TensorProfile } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deviationsMax, tensorDistance, tensorProfileOf } from "./tensor-profile.ts";

const floats = (shape: readonly number[], data: readonly number[]) =>
  ({ datatype: "FP32", shape, data: Float32Array.from(data) }) as const;

/** Uniform in [0, 1), the same for the same seed: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows of four places of different units: about 0 to 1, thousands, a millionth, and one that never varies. */
function rows(count: number, seed: number): Tensor & { readonly datatype: "FP32" } {
  const random = generator(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const data = Array.from({ length: count }, () => [random(), 5_000 + 800 * normal(), 1e-6 * normal(), 7]).flat();
  return floats([count, 4], data);
}

const spec = { shape: [-1, 4] };
const reference = tensorProfileOf(rows(5_000, 1), true);
const distance = (data: readonly number[], profile: TensorProfile = reference) =>
  tensorDistance(floats([data.length / 4, 4], data), spec, profile);

describe("a tensor's distance from a model's profile", () => {
  test("is beyond the threshold for about one in a hundred rows like the reference", () => {
    const { shape, data } = rows(10_000, 2);
    const beyond = Array.from({ length: shape[0] ?? 0 }, (_, row) => distance([...data.slice(row * 4, row * 4 + 4)]));
    const share = beyond.filter((one) => one > reference.threshold).length / beyond.length;
    expect(share).toBeGreaterThan(0.005);
    expect(share).toBeLessThan(0.02);
  });

  test("is beyond it for another unit in any place, and for a place that varies and never did", () => {
    expect(distance([0.5, 5_000, 0, 7])).toBeLessThan(reference.threshold);
    for (const row of [
      [50, 5_000, 0, 7],
      [0.5, 5, 0, 7],
      [0.5, 5_000, 1, 7],
      [0.5, 5_000, 0, 8],
    ]) {
      expect(distance(row), String(row)).toBeGreaterThan(reference.threshold);
    }
  });

  test("is the root mean square of the row's distances in standard deviations", () => {
    const profile: TensorProfile = {
      features: [
        [0, 1],
        [10, 2],
        [0, 1],
        [0, 4],
      ],
      threshold: 1,
    };
    expect(distance([3, 10, 0, 16], profile)).toBeCloseTo(Math.sqrt((9 + 0 + 0 + 16) / 4), 10);
  });

  test("is that of the worst row, wherever it stands", () => {
    fc.assert(
      fc.property(fc.nat(19), (at) => {
        const usual = rows(20, 3).data;
        const worst = [0.5, 9e5, 0, 7];
        const mixed = [...usual.slice(0, at * 4), ...worst, ...usual.slice(at * 4)];
        expect(distance(mixed)).toBe(distance(worst));
      }),
    );
  });

  test("is of the whole tensor where the graph has no batch, and by the last axis where there are more", () => {
    const profile: TensorProfile = {
      features: [
        [0, 1],
        [100, 1],
      ],
      threshold: 1,
    };
    const tensor = floats([2, 2], [0, 100, 4, 100]);
    expect(tensorDistance(tensor, { shape: [2, 2] }, profile)).toBe(2);
    expect(tensorDistance(tensor, { shape: [-1, 2] }, profile)).toBeCloseTo(Math.sqrt(8), 10);
    expect(tensorDistance(floats([1, 3, 2], [0, 100, 0, 100, 3, 100]), { shape: [-1, -1, 2] }, profile)).toBeCloseTo(
      Math.sqrt(9 / 6),
      10,
    );
  });

  test("is by one mean for all numbers where the profile has one, whatever the shape", () => {
    const together = tensorProfileOf(
      floats(
        [100, 8],
        Array.from({ length: 800 }, (_, i) => (i * 37) % 256),
      ),
      false,
    );
    expect(together.features).toHaveLength(1);
    const shape = { shape: [-1, 3, -1, -1] };
    const picture = (value: number) =>
      floats(
        [1, 3, 2, 2],
        Array.from({ length: 12 }, (_, i) => (i * 97 + value) % (value || 256)),
      );
    expect(tensorDistance(picture(256), shape, together)).toBeLessThan(2);
    expect(tensorDistance(floats([1, 3, 1, 1], [9_000, 9_000, 9_000]), shape, together)).toBeGreaterThan(100);
  });

  test.each<[string, number]>([
    ["NaN", Number.NaN],
    ["an infinity", Number.NEGATIVE_INFINITY],
    ["the largest float", 3.4e38],
  ])("is a finite number for %s, and far beyond the threshold", (_what, value) => {
    const far = distance([value, 5_000, 0, 7]);
    expect(far).toBeCloseTo(deviationsMax / 2, 3);
    expect(distance([value, value, value, value])).toBe(deviationsMax);
  });

  test.each<Tensor>([
    { datatype: "FP16", shape: [1, 2], data: Uint16Array.of(0x3c00, 0x4900) },
    { datatype: "INT64", shape: [1, 2], data: BigInt64Array.of(1n, 10n) },
    { datatype: "UINT8", shape: [1, 2], data: Uint8Array.of(1, 10) },
    { datatype: "FP64", shape: [1, 2], data: Float64Array.of(1, 10) },
  ])("reads numbers of $datatype as what they are", (tensor) => {
    const profile: TensorProfile = {
      features: [
        [0, 1],
        [10, 1],
      ],
      threshold: 1,
    };
    expect(tensorDistance(tensor, { shape: [-1, 2] }, profile)).toBeCloseTo(Math.sqrt(0.5), 10);
  });

  test("is 0 of no numbers, and of texts", () => {
    expect(tensorDistance(floats([0, 4], []), spec, reference)).toBe(0);
    expect(tensorDistance({ datatype: "BYTES", shape: [1], data: ["a"] }, { shape: [-1] }, reference)).toBe(0);
  });

  test("of a million rows is told without a fault", () => {
    expect(
      tensorDistance(
        floats(
          [1_000_000, 1],
          Array.from({ length: 1e6 }, () => 3),
        ),
        { shape: [-1, 1] },
        { features: [[0, 1]] },
      ),
    ).toBe(3);
  });
});

describe("a profile of tensors", () => {
  test("keeps a mean as exactly as its deviation asks for, however large it is", () => {
    const { features } = tensorProfileOf(
      { datatype: "FP64", shape: [4, 1], data: Float64Array.of(1e5, 1e5 + 0.002, 1e5 - 0.002, 1e5) },
      true,
    );
    const [mean, sd] = features[0] ?? [0, 0];
    expect(Math.abs(mean - 1e5)).toBeLessThan(sd / 100);
    expect(sd).toBeCloseTo(0.001414, 5);
  });

  test("weighs some ten bytes a number", () => {
    expect(JSON.stringify(reference.features).length).toBeLessThan(8 * 12);
  });
});
