import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

test("writes what TextEncoder writes, lone surrogates included", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff)), (units) => {
      const text = String.fromCharCode(...units);
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
    }),
  );
});

test("reads what a strict TextDecoder reads, and refuses what it refuses", () => {
  const near = fc.array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xa0, 0x9f, 0xf0, 0x90, 0xf4, 0x8f));
  const bytes = fc.oneof(
    fc.uint8Array(),
    near.map((list) => Uint8Array.from(list)),
    fc.string({ unit: "binary" }).map(encodeUtf8),
  );
  fc.assert(
    fc.property(bytes, (some) => {
      let expected: string | undefined;
      try {
        expected = strict.decode(some);
      } catch {
        expected = undefined;
      }
      expect(decodeUtf8(some)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test("reads a long text whole", () => {
  const text = "aé€\u{1f600}".repeat(5000);
  expect(decodeUtf8(encodeUtf8(text))).toBe(text);
});
