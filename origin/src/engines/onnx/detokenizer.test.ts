import fc from "fast-check";
import { expect, test } from "vitest";
import { Detokenizer } from "./detokenizer.ts";

/** The hardest tokenizer there is: every byte is a token. */
const decodeBytes = (ids: readonly bigint[]) => new TextDecoder().decode(Uint8Array.from(ids, Number));
const bytesOf = (text: string) => Array.from(new TextEncoder().encode(text), BigInt);

test("a character split over tokens is emitted whole or not at all", () => {
  const detokenizer = new Detokenizer(decodeBytes);
  const pieces = bytesOf("a€😀b").map((id) => detokenizer.push(id));
  expect(pieces.filter((piece) => piece !== "")).toEqual(["a", "€", "😀", "b"]);
});

test("the pieces of any text add up to the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
      fc.pre(!text.includes("�"));
      const detokenizer = new Detokenizer(decodeBytes);
      const pieces = bytesOf(text).map((id) => detokenizer.push(id));
      expect(pieces.join("") + detokenizer.flush()).toBe(text);
    }),
  );
});

test("a character that is never finished is dropped at the end", () => {
  const detokenizer = new Detokenizer(decodeBytes);
  const pieces = [...bytesOf("ok"), 0xf0n, 0x9fn].map((id) => detokenizer.push(id));
  expect(pieces.join("") + detokenizer.flush()).toBe("ok");
});

test("bytes that are no text do not hold the rest back for ever", () => {
  const detokenizer = new Detokenizer(decodeBytes);
  const pieces = [...new Array<bigint>(20).fill(0x80n), ...bytesOf("then text")].map((id) => detokenizer.push(id));
  expect((pieces.join("") + detokenizer.flush()).endsWith("then text")).toBe(true);
});
