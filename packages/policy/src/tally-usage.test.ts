import fc from "fast-check";
import { expect, test } from "vitest";
import { addUsage, faded, hottest, unused } from "./tally-usage.ts";

const hourMs = 3_600_000;

test("a call counts half as much an hour later", () => {
  expect(faded(8, hourMs)).toBe(4);
  expect(addUsage({ calls: 8, atMs: 0 }, 1, 2 * hourMs)).toEqual({ calls: 3, atMs: 2 * hourMs });
});

test("a clock that steps back neither adds nor takes away", () => {
  expect(addUsage({ calls: 8, atMs: hourMs }, 1, 0)).toEqual({ calls: 9, atMs: hourMs });
});

test("what is hot is sorted by calls lately, and what was used long ago is not in it", () => {
  const used = {
    once: { calls: 1_000, atMs: 0 },
    busy: { calls: 50, atMs: 12 * hourMs },
    idle: { calls: 5, atMs: 12 * hourMs },
    never: unused,
  };
  expect(hottest(used, 12 * hourMs)).toEqual(["busy", "idle"]);
  expect(hottest(used, 0)).toEqual(["once", "busy", "idle"]);
});

test("counts that differ so little that fading makes them one keep their order", () => {
  const [less, more] = [1_000_001, 1_000_001.000_000_000_1];
  const laterMs = 1_800_000;
  expect([more > less, faded(more, laterMs) > faded(less, laterMs)]).toEqual([true, false]);
  const used = { less: { calls: less, atMs: 0 }, more: { calls: more, atMs: 0 } };
  expect(hottest(used, laterMs)).toEqual(hottest(used, 0));
});

test("the order of what is hot changes with calls, not with time alone", () => {
  const usage = fc.record({ calls: fc.double({ min: 1e6, max: 1e9, noNaN: true }), atMs: fc.nat(hourMs) });
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-f]{4}$/), usage, { maxKeys: 20 }),
      fc.nat(5 * hourMs),
      (used, laterMs) => {
        expect(hottest(used, hourMs + laterMs)).toEqual(hottest(used, hourMs));
      },
    ),
  );
});
