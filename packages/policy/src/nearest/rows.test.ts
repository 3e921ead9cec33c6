import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bitsApart } from "../../../../test/support/bits.ts";
import { wasmRows } from "../../../../test/support/wasm-rows.ts";
import { PlainRows } from "./plain-rows.ts";
import { blockRows, sketchWords } from "./rows.ts";

const words = (rows: number) => fc.int32Array({ minLength: rows * sketchWords, maxLength: rows * sketchWords });
const pageBytes = 65_536;

describe.each([
  ["in JavaScript", (dimensions: number) => new PlainRows(dimensions)],
  ["in WebAssembly", wasmRows],
])("rows %s", (_where, create) => {
  test("differ in the bits counted, to the bit, and every one of them", () => {
    fc.assert(
      fc.property(words(1), words(20), fc.nat(22), (query, random, count) => {
        const rows = create(8);
        rows.resize(1);
        const all = new Int32Array([...query, ...query.map((bits) => ~bits), ...random]);
        for (let row = 0; row < 22; row++) rows.at(row).sketch.set(all.subarray(8 * row, 8 * row + 8));
        const { histogram, distancesOf } = rows.measure(query, count);
        const expected = Array.from({ length: count }, (_, row) =>
          bitsApart(query, all.subarray(8 * row, 8 * row + 8)),
        );
        expect([...distancesOf(0).subarray(0, count)]).toEqual(expected);
        expect(expected.slice(0, 2)).toEqual([0, 256].slice(0, count));
        const counted = Array.from({ length: 257 }, (_, bits) => expected.filter((one) => one === bits).length);
        expect([...histogram]).toEqual(counted);
      }),
    );
  });

  test("have the dot products that arithmetic gives, for any number of dimensions", () => {
    const codes = fc.integer({ min: -127, max: 127 });
    const most = fc.integer({ min: -32_767, max: 32_767 });
    const pair = fc.integer({ min: 1, max: 60 }).chain((dimensions) => {
      const length = { minLength: dimensions, maxLength: dimensions };
      return fc.tuple(fc.array(most, length), fc.array(fc.array(codes, length), { minLength: 1, maxLength: 5 }));
    });
    fc.assert(
      fc.property(pair, ([vector, all]) => {
        const rows = create(vector.length);
        rows.resize(1);
        for (const [row, values] of all.entries()) rows.at(row).codes.set(values);
        const backwards = Int32Array.from(all.keys()).reverse();
        const expected = all.map((values) => values.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0));
        expect([...rows.dots(Int16Array.from(vector), backwards)]).toEqual(expected.toReversed());
      }),
    );
  });

  test("keep what they hold while blocks come and go, and are compared across blocks", () => {
    const rows = create(20);
    rows.resize(1);
    const [first, second] = [7, blockRows + 7];
    rows.at(first).sketch.fill(1);
    rows.at(first).codes.fill(1);
    rows.resize(9);
    rows.at(second).sketch.fill(3);
    rows.at(second).codes.fill(3);
    rows.at(9 * blockRows - 1).sketch.fill(7);
    rows.resize(2);
    const { histogram, distancesOf } = rows.measure(new Int32Array(sketchWords), blockRows + 8);
    expect([histogram[0], histogram[8], histogram[16], histogram[24]]).toEqual([blockRows + 6, 1, 1, 0]);
    expect([0, 1].map((block) => distancesOf(block)[7])).toEqual([8, 16]);
    expect([...rows.dots(new Int16Array(20).fill(10), Int32Array.of(first, second))]).toEqual([200, 600]);
  });

  test("take 34 + a byte a dimension a row, in blocks of 4,096, and what is mostly idle is given back", () => {
    const rows = create(384);
    const wanted = (blocks: number) => blocks * blockRows * (34 + 384);
    rows.resize(25);
    expect(rows.bytes).toBeGreaterThanOrEqual(wanted(25));
    expect(rows.bytes).toBeLessThan(wanted(25) + 2 * pageBytes);
    rows.resize(6);
    expect(rows.bytes).toBeLessThan(wanted(6) + 2 * pageBytes);
  });
});

test("WebAssembly holds at most twice the blocks in use and one more, and grows into them again without a move", () => {
  const rows = wasmRows(384);
  const block = blockRows * (34 + 384);
  for (let blocks = 1; blocks <= 10; blocks++) rows.resize(blocks);
  for (let blocks = 9; blocks >= 0; blocks--) {
    rows.resize(blocks);
    expect(rows.bytes).toBeLessThan(2 * (blocks + 1) * block + 2 * pageBytes);
  }
  rows.resize(2);
  const { bytes } = rows;
  for (const blocks of [1, 2, 1, 2]) rows.resize(blocks);
  expect(rows.bytes).toBe(bytes);
});
