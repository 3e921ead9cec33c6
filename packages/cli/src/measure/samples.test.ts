import { expect, test } from "vitest";
import type { GraphValue } from "../inspect/read-graph.ts";
import { generateFeeds, takesRows } from "./samples.ts";

const input = (name: string, datatype: GraphValue["datatype"], dimensions: (number | string)[]): GraphValue => ({
  name,
  datatype,
  dimensions,
  shape: dimensions.map((size) => (typeof size === "number" ? size : -1)),
});
const facts = (...inputs: GraphValue[]) => ({ inputs, rowsLookedUp: new Map([["ids", 50]]) });

test("variable dimensions of one name are of one size: rows first, what is said, 16 else", () => {
  const feeds = generateFeeds(
    facts(input("a", "FP32", ["batch", "length", 3]), input("b", "INT64", ["batch", "length"])),
    8,
    new Map([["other", 2]]),
  );
  expect([feeds.a?.shape, feeds.b?.shape]).toEqual([
    [8, 16, 3],
    [8, 16],
  ]);
  expect(generateFeeds(facts(input("a", "FP32", ["n", "m"])), 1, new Map([["m", 5]])).a?.shape).toEqual([1, 5]);
});

test("a state begins empty, and sums of dimensions are worked out", () => {
  const past = input("past", "FP32", ["batch", 4, "past_sequence_length", 8]);
  const mask = input("attention_mask", "INT64", ["batch", "past_sequence_length + sequence_length"]);
  const feeds = generateFeeds(facts(past, mask), 1, new Map([["sequence_length", 7]]));
  expect([feeds.past?.shape, feeds.attention_mask?.shape]).toEqual([
    [1, 4, 0, 8],
    [1, 7],
  ]);
  expect([...(feeds.attention_mask?.data ?? [])]).toEqual(Array(7).fill(1n));
});

test("whole numbers stay below the table they look up, and feeds are the same every time", () => {
  const make = () => generateFeeds(facts(input("ids", "INT64", ["batch", "length"])), 8, new Map());
  const ids = Array.from(make().ids?.data ?? [], Number);
  expect(Math.max(...ids)).toBeLessThan(50);
  expect(Math.max(...ids)).toBeGreaterThan(1);
  expect(make()).toEqual(make());
});

test("rows can be put together only where all inputs share the first dimension", () => {
  expect(takesRows(facts(input("a", "FP32", ["n", 2]), input("b", "FP32", ["n", 3])))).toBe(true);
  expect(takesRows(facts(input("a", "FP32", ["n", 2]), input("b", "FP32", [1, 3])))).toBe(false);
  expect(takesRows(facts(input("a", "FP32", [])))).toBe(false);
});

test("an input too large to be meant is refused, naming it", () => {
  const huge = facts(input("a", "FP32", ["n", 2 ** 30]));
  expect(() => generateFeeds(huge, 1, new Map())).toThrow("The input 'a' would have 1073741824 elements");
});
