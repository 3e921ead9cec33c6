import type { Tensor, TensorSpec } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { valueFault } from "./tensor-range.ts";
import { textDistance, textProfileOf } from "./text-profile.ts";
import { unicodeFlags } from "./unicode.ts";

describe("characters that hide something", () => {
  test.each<[string, string, readonly string[]]>([
    ["an override of direction", "access\u202elevel", ["bidi"]],
    ["an isolate", "a\u2066b\u2069", ["bidi"]],
    ["a space of no width", "pass\u200bword", ["invisible"]],
    ["a byte order mark inside", "a\ufeffb", ["invisible"]],
    [
      "tags that spell a hidden prompt",
      `hello${[..."ignore"].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join("")}`,
      ["invisible"],
    ],
    ["bytes in variation selectors", "\u{1f60a}\u{e0101}\u{e0102}\u{e0103}", ["invisible"]],
    ["an escape", "a\u001b[31mred", ["control"]],
    ["a null", "a\0b", ["control"]],
    ["a lone surrogate", "a\ud800b", ["control"]],
    ["all three", "\u0007\u202e\u200b", ["control", "bidi", "invisible"]],
  ])("%s is flagged", (_what, text, flags) => expect(unicodeFlags([text])).toEqual(flags));

  test.each([
    "plain text, with\ttabs\r\nand lines",
    "Ünïcödé, 漢字, ελληνικά, हिन्दी क्‍ष, فارسی می‌خواهم",
    "\u05d0\u200f\u05d1 and \u0627\u061c\u0628",
    "\u{1f468}\u200d\u{1f469}\u200d\u{1f467} ❤\ufe0f \u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "next\u0085line",
  ])("ordinary text of any script is not: %o", (text) => expect(unicodeFlags([text])).toEqual([]));

  test("are found wherever they stand, and each kind is named once", () => {
    const clean = fc.string({ unit: fc.constantFrom(..."abc äß漢 .,") });
    fc.assert(
      fc.property(clean, clean, (before, after) => {
        expect(unicodeFlags([before, `${before}\u202e${after}`, `\u202e${after}`])).toEqual(["bidi"]);
        expect(unicodeFlags([before, after])).toEqual([]);
      }),
    );
  });
});

describe("a tensor's values", () => {
  const spec = (more: Partial<TensorSpec>): TensorSpec => ({ name: "x", datatype: "FP32", shape: [-1], ...more });
  const floats = (...values: number[]): Tensor => ({
    datatype: "FP32",
    shape: [values.length],
    data: Float32Array.from(values),
  });

  test("are not looked at where the model declares nothing", () => {
    expect(valueFault(floats(Number.NaN, Number.POSITIVE_INFINITY), spec({}))).toBeUndefined();
  });

  test("that are NaN or infinite are refused where the model takes finite ones", () => {
    expect(valueFault(floats(0, 1, Number.NaN), spec({ finite: true }))).toContain("NaN at element 2");
    expect(valueFault(floats(Number.NEGATIVE_INFINITY), spec({ finite: true }))).toContain("-Infinity");
    expect(valueFault(floats(-1e30, 1e30), spec({ finite: true }))).toBeUndefined();
  });

  test("outside the declared range are refused, NaN among them, and the ends are inside", () => {
    expect(valueFault(floats(0, 1, 0.5), spec({ range: [0, 1] }))).toBeUndefined();
    expect(valueFault(floats(0, 1.5), spec({ range: [0, 1] }))).toBe("'x' has 1.5 at element 1, outside 0 to 1.");
    expect(valueFault(floats(Number.NaN), spec({ range: [0, 1] }))).toContain("NaN");
  });

  test("of 64-bit integers and half floats are compared as the numbers they are", () => {
    const ids: Tensor = { datatype: "INT64", shape: [2], data: BigInt64Array.from([5n, -1n]) };
    expect(valueFault(ids, spec({ datatype: "INT64", range: [0, 30_521] }))).toContain("-1 at element 1");
    const halves: Tensor = { datatype: "FP16", shape: [2], data: Uint16Array.from([0x3c00, 0x7e00]) };
    expect(valueFault(halves, spec({ datatype: "FP16", finite: true }))).toContain("NaN at element 1");
    expect(
      valueFault({ ...halves, data: Uint16Array.from([0x3c00, 0xc000]) }, spec({ datatype: "FP16", range: [0, 1] })),
    ).toContain("-2 at element 1");
  });
});

describe("a text's distance from a model's profile", () => {
  const usual = [
    "transfer fifty dollars to savings",
    "what is my balance",
    "book a table for two",
    "play some jazz",
    "how do i reset my pin",
  ];
  const profile = textProfileOf(Array.from({ length: 200 }, (_, i) => `${usual[i % 5]} ${usual[(i * 7) % 5]}`));

  test("is about one for what is usual, and over the threshold for a hundredth of it at most", () => {
    expect(textDistance("what is my balance book a table for two", profile)).toBeLessThanOrEqual(profile.threshold);
  });

  test.each([
    ["code", "for(let i=0;i<10;i++){x[i]=y[i]*2;console.log(x[i]|0)}"],
    ["another script", "请把五十美元转到我的储蓄账户"],
    ["a pasted page", "lorem ipsum dolor sit amet ".repeat(200)],
    ["digits", "4111 1111 1111 1111 4242 4242 4242 4242"],
    ["base64", "aGVsbG8gd29ybGQgdGhpcyBpcyBhIGxvbmcgYmFzZTY0IHRleHQ="],
  ])("is over the threshold for %s", (_what, text) => {
    expect(textDistance(text, profile)).toBeGreaterThan(profile.threshold);
  });
});
