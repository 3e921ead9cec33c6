import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents } from "./read-events.ts";

async function read(pieces: readonly Uint8Array[]): Promise<string[]> {
  const all: string[] = [];
  for await (const data of readEvents(from(pieces))) all.push(data);
  return all;
}

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

const encoder = new TextEncoder();
const text =
  '﻿: hello\n\ndata: {"a":1}\r\n\r\nevent: x\nid: 7\ndata:two\ndata: lines\n\n: ping\n\ndata: Grüße 😀\r\rdata: [DONE]\n\n';
const wanted = ['{"a":1}', "two\nlines", "Grüße 😀", "[DONE]"];

test("events are the same wherever their bytes are cut", async () => {
  const bytes = encoder.encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(await read(pieces)).toEqual(wanted);
    }),
  );
});

test("what the source ends in the middle of still comes", async () => {
  expect(await read([encoder.encode('data: {"a":1}\n\ndata: [DO')])).toEqual(['{"a":1}', "[DO"]);
});

test("an event without end is given up", async () => {
  const piece = encoder.encode("data: x".padEnd(1_048_576, "x"));
  await expect(read(Array(8).fill(piece))).rejects.toThrow("no end");
});
