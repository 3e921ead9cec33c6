import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reply } from "../reply.ts";
import { type ChatRecord, ChatRecorder, recordOf, replayStream, replayWhole } from "./chat-record.ts";

const stamp = { id: "chatcmpl-1", model: "m", created: 1 };
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };

function dataOf(reply: Reply): string[] {
  const events = String(reply.body)
    .split("\n\n")
    .filter((event) => event !== "");
  return events.map((event) => event.replace(/^data: /, ""));
}

/** Records a stream as it passes the gateway. */
function recordStream(payloads: readonly string[]): ChatRecord | undefined {
  const recorder = new ChatRecorder();
  for (const payload of payloads) if (payload !== "[DONE]") recorder.onData(payload);
  return recorder.record();
}

const record: fc.Arbitrary<ChatRecord> = fc.record({
  deltas: fc.array(fc.string({ minLength: 1, unit: "binary" })),
  finishReason: fc.constantFrom("stop", "length"),
  usage: fc.constant(usage),
});

describe("a chat record", () => {
  test("replayed as a stream and recorded again is the same record", () => {
    fc.assert(
      fc.property(record, (kept) => {
        const payloads = dataOf(replayStream(kept, stamp, true));
        expect(payloads.at(-1)).toBe("[DONE]");
        expect(recordStream(payloads)).toEqual(kept);
      }),
    );
  });

  test("replayed whole is its pieces joined, and recorded from that gives the same text", () => {
    fc.assert(
      fc.property(record, (kept) => {
        const whole = String(replayWhole(kept, stamp).body);
        expect(recordOf(whole)?.deltas.join("")).toBe(kept.deltas.join(""));
      }),
    );
  });

  test("shows usage in a stream only to who asks for it", () => {
    const kept: ChatRecord = { deltas: ["a"], finishReason: "stop", usage };
    expect(dataOf(replayStream(kept, stamp, false)).join()).not.toContain("usage");
  });

  test.each([
    ["an error event", '{"error":{"message":"x","code":"upstream_failed"}}'],
    ["what is not JSON", "{"],
    ["what is no chunk", "{}"],
    ["null", "null"],
  ])("is not made of a stream with %s", (_what, payload) => {
    const good = dataOf(replayStream({ deltas: ["a"], finishReason: "stop", usage }, stamp, false));
    expect(recordStream([...good.slice(0, 2), payload, ...good.slice(2)])).toBeUndefined();
  });

  test("is not made of a stream that never said why it ended, nor of one larger than a megabyte", () => {
    const good = dataOf(replayStream({ deltas: ["a"], finishReason: "stop", usage }, stamp, false));
    expect(recordStream(good.slice(0, 2))).toBeUndefined();
    const huge = { deltas: Array(3).fill("x".repeat(500_001)), finishReason: "stop" as const, usage };
    expect(recordStream(dataOf(replayStream(huge, stamp, false)))).toBeUndefined();
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    '{"choices":[]}',
    '{"choices":[{},{}]}',
    '{"choices":[{"message":{"content":null}}]}',
  ])("is not made of the whole answer %o", (json) => expect(recordOf(json)).toBeUndefined());
});
