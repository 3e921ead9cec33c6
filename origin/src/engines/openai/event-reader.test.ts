import fc from "fast-check";
import { expect, test } from "vitest";
import { EventReader } from "./event-reader.ts";

function read(pieces: readonly Uint8Array[]): string[] {
  const all: string[] = [];
  const reader = new EventReader((data) => all.push(data));
  for (const piece of pieces) reader.push(Buffer.from(piece));
  reader.end();
  return all;
}

const encoder = new TextEncoder();
const text =
  '﻿: hello\n\ndata: {"a":1}\r\n\r\nevent: x\nid: 7\ndata:two\ndata: lines\n\n: ping\n\ndata: Grüße 😀\r\rdata: [DONE]\n\n';
const wanted = ['{"a":1}', "two\nlines", "Grüße 😀", "[DONE]"];

test("events are the same wherever their bytes are cut", () => {
  const bytes = encoder.encode(text);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(read(pieces)).toEqual(wanted);
    }),
  );
});

test("what the source ends in the middle of still comes", () => {
  expect(read([encoder.encode('data: {"a":1}\n\ndata: [DO')])).toEqual(['{"a":1}', "[DO"]);
});

test("an event without end is given up", () => {
  const piece = encoder.encode("data: x".padEnd(1_048_576, "x"));
  expect(() => read(Array(8).fill(piece))).toThrow("no end");
});
