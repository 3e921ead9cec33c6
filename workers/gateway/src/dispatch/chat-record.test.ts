import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reply } from "../reply.ts";
import { type ChatPart, membersOf, partOf } from "./chat-part.ts";
import { type ChatRecord, ChatRecorder, partsOf, recordOf, replayStream, replayWhole } from "./chat-record.ts";

const stamp = { id: "chatcmpl-1", model: "m", created: 1 };
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const head = { id: "chatcmpl-theirs", object: "chat.completion.chunk", created: 7, model: "theirs" };

function dataOf(reply: Reply): string[] {
  const events = String(reply.body)
    .split("\n\n")
    .filter((event) => event !== "");
  return events.map((event) => event.replace(/^data: /, ""));
}

/** Records a stream as it passes the gateway. */
function recordStream(payloads: readonly string[]): ChatRecord | undefined {
  const recorder = new ChatRecorder();
  for (const payload of payloads) {
    const part = payload === "[DONE]" ? undefined : partOf(payload);
    if (part !== undefined) recorder.add(part);
  }
  return recorder.record();
}

/** An engine's chunk. */
function chunk(choices: readonly object[], more: object = {}): string {
  return JSON.stringify({ ...head, choices, ...more });
}

function choice(delta: object, reason: string | null = null, more: object = {}): object {
  return { index: 0, delta, logprobs: null, finish_reason: reason, ...more };
}

function bodyOf(reply: Reply) {
  return JSON.parse(String(reply.body));
}

const end = { choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }] };

const record: fc.Arbitrary<ChatRecord> = fc.record({
  parts: fc
    .array(fc.string({ minLength: 1, unit: "binary" }))
    .map((texts): ChatPart[] => [...texts, end, { choices: [], usage }]),
});

const toolStream = [
  chunk([choice({ role: "assistant", content: null })]),
  chunk([
    choice({
      tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "weather", arguments: "" } }],
    }),
  ]),
  chunk([choice({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] })]),
  chunk([
    choice({ tool_calls: [{ index: 1, id: "call_b", type: "function", function: { name: "time", arguments: "{" } }] }),
  ]),
  chunk([choice({ tool_calls: [{ index: 0, function: { arguments: '"Bonn"}' } }] })]),
  chunk([choice({ tool_calls: [{ index: 1, function: { arguments: "}" } }] })]),
  chunk([choice({}, "tool_calls")]),
  chunk([], { usage }),
];

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

  test("of a stream replays as the same chunks, under names of its own", () => {
    const stream = [
      chunk([choice({ role: "assistant", content: "" })], { system_fingerprint: "fp" }),
      chunk([choice({ content: "To" })], { system_fingerprint: "fp" }),
      chunk([choice({ reasoning_content: "hm" })]),
      chunk([choice({ content: " be" }, null, { logprobs: { content: [{ token: " be", logprob: -0.5 }] } })]),
      chunk([{ index: 1, delta: { content: "other" }, finish_reason: null }]),
      chunk([choice({}, "stop", { stop_reason: 2 }), { index: 1, delta: {}, finish_reason: "length" }]),
    ];
    const kept = recordStream(stream);
    const replayed = kept && dataOf(replayStream(kept, stamp, false));
    const expected = stream.map((one) => ({ ...JSON.parse(one), ...stamp }));
    expect(replayed?.slice(0, -1).map((one) => JSON.parse(one))).toEqual(expected);
  });

  test("of a streamed tool call replays the call, and joins its pieces for who wants no stream", () => {
    const kept = recordStream(toolStream);
    expect(kept && dataOf(replayStream(kept, stamp, true)).map((one) => one !== "[DONE]" && JSON.parse(one))).toEqual([
      ...toolStream.map((one) => ({ usage: null, ...JSON.parse(one), ...stamp })),
      false,
    ]);
    const whole = kept && bodyOf(replayWhole(kept, stamp));
    expect(whole.choices).toEqual([
      {
        index: 0,
        message: {
          role: "assistant",
          content: null,
          refusal: null,
          tool_calls: [
            { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Bonn"}' } },
            { id: "call_b", type: "function", function: { name: "time", arguments: "{}" } },
          ],
        },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ]);
    expect(whole.usage).toEqual(usage);
  });

  test("joins several choices, their log probabilities, reasoning and refusals", () => {
    const logprobs = (token: string) => ({ content: [{ token, logprob: -1, top_logprobs: [] }], refusal: null });
    const kept = recordStream([
      chunk([{ index: 1, delta: { role: "assistant", refusal: "I " }, finish_reason: null }]),
      chunk([choice({ role: "assistant", content: "a", reasoning_content: "x" }, null, { logprobs: logprobs("a") })]),
      chunk([choice({ content: "b", reasoning_content: "y" }, null, { logprobs: logprobs("b") })]),
      chunk([{ index: 1, delta: { refusal: "can't" }, finish_reason: "stop" }]),
      chunk([choice({}, "stop")]),
    ]);
    const { choices } = kept && bodyOf(replayWhole(kept, stamp));
    expect(choices).toEqual([
      {
        index: 0,
        message: { role: "assistant", content: "ab", refusal: null, reasoning_content: "xy" },
        logprobs: { content: [logprobs("a").content[0], logprobs("b").content[0]], refusal: null },
        finish_reason: "stop",
      },
      {
        index: 1,
        message: { role: "assistant", content: null, refusal: "I can't" },
        logprobs: null,
        finish_reason: "stop",
      },
    ]);
  });

  test("of a whole answer replays as a stream, and whole as it was", () => {
    const completion = {
      ...stamp,
      object: "chat.completion",
      system_fingerprint: "fp",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: null,
            refusal: null,
            tool_calls: [{ id: "call_a", type: "function", function: { name: "weather", arguments: "{}" } }],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
        {
          index: 1,
          message: { role: "assistant", content: "text", refusal: null, reasoning_content: "hm" },
          logprobs: { content: [{ token: "text", logprob: -0.1 }] },
          finish_reason: "stop",
        },
      ],
      usage,
    };
    const kept = recordOf(partsOf(JSON.stringify(completion)) ?? []);
    expect(kept && bodyOf(replayWhole(kept, stamp))).toEqual(completion);
    const again = kept && recordStream(dataOf(replayStream(kept, stamp, true)));
    expect(again && bodyOf(replayWhole(again, stamp))).toEqual(completion);
  });

  test("keeps a piece of text as no more than its text", () => {
    expect(partOf(chunk([choice({ content: "To" })]))).toBe("To");
    expect(membersOf("To")).toEqual({ choices: [choice({ content: "To" })] });
    expect(partOf(chunk([choice({ content: "To" }, null, { token_ids: [1] })]))).not.toBe("To");
  });

  test("costs the same as a stream and whole, and shows usage in a stream only to who asks for it", () => {
    const kept: ChatRecord = { parts: ["a", end, { choices: [], usage }] };
    expect(bodyOf(replayWhole(kept, stamp)).usage).toEqual(usage);
    expect(JSON.parse(dataOf(replayStream(kept, stamp, true)).at(-2) ?? "").usage).toEqual(usage);
    expect(dataOf(replayStream(kept, stamp, false)).join()).not.toContain("usage");
  });

  test.each([
    ["an error event", '{"error":{"message":"x","code":"upstream_failed"}}'],
    ["what is not JSON", "{"],
    ["null", "null"],
    ["a list", "[]"],
  ])("has no part for %s", (_what, payload) => expect(partOf(payload)).toBeUndefined());

  test("is not made of a stream with what is no chunk", () => {
    expect(recordOf(["a", { hello: 1 }, end])).toBeUndefined();
  });

  test("is not made of an answer that a filter cut", () => {
    expect(recordStream([chunk([choice({ content: "a" })]), chunk([choice({}, "content_filter")])])).toBeUndefined();
    const message = { role: "assistant", content: "a" };
    const whole = { choices: [{ index: 0, message, finish_reason: "content_filter" }] };
    expect(recordOf(partsOf(JSON.stringify(whole)) ?? [])).toBeUndefined();
  });

  test("is not made of a stream in which a choice never said why it ended, nor of one larger than a megabyte", () => {
    expect(recordOf(["a"])).toBeUndefined();
    expect(recordOf(["a", { choices: [{ index: 1, delta: {}, finish_reason: "stop" }] }])).toBeUndefined();
    expect(recordOf([])).toBeUndefined();
    expect(recordOf([...Array(3).fill("x".repeat(500_001)), end])).toBeUndefined();
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"choices":[]}',
    '{"choices":[{},{}]}',
    '{"choices":[{"index":0,"finish_reason":"stop"}]}',
  ])("is not made of the whole answer %o", (json) => expect(partsOf(json)).toBeUndefined());
});
