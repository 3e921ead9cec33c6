import type { ErrorCode } from "@ledge/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatRecord } from "./chat-record.ts";
import { collected, sharedParts, sharedStream } from "./chat-share.ts";

const head = { id: "chatcmpl-a", object: "chat.completion.chunk", created: 1, model: "m" };
const text = (content: string) => ({
  ...head,
  choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
});
const end = { choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }] };
const events = (...payloads: unknown[]) => payloads.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("");
const done = "data: [DONE]\n\n";

/** A stream of these bytes, cut where `cuts` says. */
function streamOf(said: string, cuts: readonly number[] = []): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(said);
  const borders = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      borders.slice(1).forEach((to, i) => {
        const piece = bytes.slice(borders[i], to);
        if (piece.length > 0) controller.enqueue(piece);
      });
      controller.close();
    },
  });
}

function share(said: string, cuts: readonly number[] = []) {
  const kept: ChatRecord[] = [];
  const broke: ErrorCode[] = [];
  const shared = sharedStream(
    streamOf(said, cuts),
    (record) => kept.push(record),
    (code) => broke.push(code),
  );
  return { kept, broke, parts: collected(shared) };
}

test("an engine's stream is shared part by part, wherever its bytes are cut, and recorded once it is whole", async () => {
  const said = events(text("Grüße"), text(" 日本"), { ...head, ...end }) + done;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (cuts) => {
      const { parts, kept } = share(said, cuts);
      expect(await parts).toEqual(["Grüße", " 日本", end]);
      expect(kept).toEqual([{ parts: ["Grüße", " 日本", end] }]);
    }),
    { numRuns: 30 },
  );
});

test("two answers of an engine that differ in their names alone are shared as the same bytes", async () => {
  const said = (id: string) =>
    sharedStream(
      streamOf(events({ ...text("a"), id, created: 9 }) + done),
      () => undefined,
      () => undefined,
    );
  const [one, two] = await Promise.all([said("x"), said("y")].map((stream) => new Response(stream).text()));
  expect(one).toBe(two);
});

test.each([
  ["ends without [DONE]", events(text("a"), end), "upstream_failed"],
  ["says that its time is up", events(text("a"), { error: { code: "deadline_exceeded" } }), "deadline_exceeded"],
  ["says what is no JSON", `${events(text("a"))}data: {\n\n${done}`, "upstream_failed"],
])("a stream that %s breaks off, which is told once and with its code, and is not kept", async (_how, said, code) => {
  const { parts, kept, broke } = share(said);
  await expect(parts).rejects.toThrow();
  expect(kept).toEqual([]);
  expect(broke).toEqual([code]);
});

test("an answer that is cut by a filter is shared, and not kept", async () => {
  const cut = { choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "content_filter" }] };
  const { parts, kept } = share(events(text("a"), { ...head, ...cut }) + done);
  expect(await parts).toEqual(["a", cut]);
  expect(kept).toEqual([]);
});

test("parts that are here already are shared as a stream", async () => {
  expect(await collected(sharedParts(["a", end]))).toEqual(["a", end]);
});
