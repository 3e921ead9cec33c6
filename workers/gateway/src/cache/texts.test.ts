import type { Result, Tensors } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testDigests } from "../../../../test/support/cache-isolate.ts";
import { parseJson } from "../accept/body.ts";
import { acceptChat } from "../accept/openai.ts";
import { acceptPredict } from "../accept/predict.ts";
import type { TensorsCall } from "../exchange.ts";
import { chatText, isSampled } from "./chats.ts";
import { labelsText } from "./labels.ts";
import { tensorsText } from "./tensors.ts";

/** Which calls share an answer: from the text of a body to the text that names its answer in the cache. */

function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return result.value;
}

const parsed = (text: string) => taken(parseJson(new TextEncoder().encode(text)));
const chatKeyOf = (body: object, spelling: number[] = []) =>
  chatText(taken(acceptChat(parsed(spelled(body, spelling)))));
const predictKeyOf = (body: object, spelling: number[] = []) =>
  labelsText({ ...taken(acceptPredict(parsed(spelled(body, spelling)))), logits: false });
const tensorKeyOf = (inputs: Tensors, outputs?: readonly string[]) => {
  const call: TensorsCall = { task: "tensor", model: { name: "m" }, inputs, ...(outputs && { outputs }) };
  return tensorsText(call, testDigests.sha256Hex);
};

/** JSON of a value, its members in another order, with white space, and its numbers spelled in another way: as `choices` say. */
function spelled(value: unknown, choices: number[]): string {
  let at = 0;
  const choose = (of: number) => (choices.length === 0 ? 0 : (choices[at++ % choices.length] ?? 0) % of);
  const space = () => ["", " ", "\n", "\t  "][choose(4)] ?? "";
  const number = (n: number) =>
    [String(n), `${n}${Number.isInteger(n) ? ".0" : "0"}`, `${n}e0`, n.toExponential(), `${n * 10}e-1`][choose(4)] ??
    String(n);
  const text = (s: string) => (choose(2) === 0 ? JSON.stringify(s) : `"${[...s].map((c) => escaped(c)).join("")}"`);
  const write = (one: unknown): string => {
    if (typeof one === "number") return number(one);
    if (typeof one === "string") return text(one);
    if (typeof one !== "object" || one === null) return JSON.stringify(one);
    if (Array.isArray(one)) return `[${space()}${one.map(write).join(`${space()},${space()}`)}${space()}]`;
    const members = Object.entries(one);
    const turned = choose(2) === 0 ? members : [...members.slice(1), ...members.slice(0, 1)].toReversed();
    return `{${space()}${turned.map(([name, member]) => `${text(name)}${space()}:${space()}${write(member)}`).join(",")}${space()}}`;
  };
  return write(value);
}

function escaped(character: string): string {
  return [...character]
    .flatMap((c) => Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`))
    .join("");
}

const spelling = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
const content = fc.string({ unit: "grapheme", minLength: 0, maxLength: 12 });
const chat = fc.record(
  {
    model: fc.constant("m"),
    messages: fc.array(fc.record({ role: fc.constantFrom("system", "user", "assistant"), content }), {
      minLength: 1,
      maxLength: 4,
    }),
    temperature: fc.constantFrom(0, 0.5, 1),
    top_p: fc.constantFrom(0.1, 0.9, 1),
    seed: fc.nat(9),
    max_tokens: fc.integer({ min: 1, max: 9 }),
    stop: fc.constantFrom("a", "b"),
    tools: fc.array(fc.record({ name: content }), { maxLength: 2 }),
  },
  { requiredKeys: ["model", "messages"] },
);

describe("a chat", () => {
  test("is named by what it means: order of members, white space, spelling of numbers and texts change nothing", () => {
    fc.assert(
      fc.property(chat, spelling, (body, choices) => {
        expect(chatKeyOf(body, choices)).toBe(chatKeyOf(body));
      }),
      { numRuns: 300 },
    );
  });

  test("is named alike whoever its user is, whatever its metadata, and whether it streams", () => {
    const more = fc.record(
      {
        user: content,
        metadata: fc.dictionary(content, content),
        stream: fc.boolean(),
        stream_options: fc.constant({ include_usage: true }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(chat, more, (body, beside) => {
        expect(chatKeyOf({ ...body, ...beside })).toBe(chatKeyOf(body));
      }),
    );
  });

  test("is named otherwise when any member that can change its answer is another one", () => {
    const same = (a: object, b: object) => spelled(sorted(a), []) === spelled(sorted(b), []);
    fc.assert(
      fc.property(chat, chat, (a, b) => {
        expect(chatKeyOf(a) === chatKeyOf(b)).toBe(same(a, b));
      }),
      { numRuns: 300 },
    );
    const base = { model: "m", messages: [{ role: "user", content: "hi" }], temperature: 0 };
    const named = new Set<string>();
    const changes = [
      {},
      { temperature: 0.1 },
      { top_p: 0.5 },
      { seed: 1 },
      { max_tokens: 5 },
      { max_completion_tokens: 5 },
      { stop: "." },
      { stop: ["."] },
      { n: 2 },
      { tools: [] },
      { tool_choice: "none" },
      { response_format: { type: "json_object" } },
      { logprobs: true },
      { something_new: 1 },
      { messages: [{ role: "system", content: "hi" }] },
      { messages: [{ role: "user", content: "hi", name: "ann" }] },
      { messages: [{ role: "user", content: "hi " }] },
      { messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] },
      { messages: [...base.messages, ...base.messages] },
    ];
    for (const change of changes) named.add(chatKeyOf({ ...base, ...change }));
    expect(named.size).toBe(changes.length);
  });
});

describe("a call of a model's steps", () => {
  const predict = fc.record({
    model: fc.constant("m"),
    input: fc.oneof(content, fc.array(content, { minLength: 1, maxLength: 3 })),
    options: fc.record({ top_k: fc.integer({ min: 1, max: 9 }) }),
  });

  test("is named by what it means, and otherwise when input or options differ", () => {
    const meaning = ({ input, options }: { input: string | string[]; options: object }) =>
      JSON.stringify([[input].flat(), options]);
    fc.assert(
      fc.property(predict, predict, spelling, (a, b, choices) => {
        const key = predictKeyOf(a, choices);
        expect(key).toBe(predictKeyOf(a));
        expect(key === predictKeyOf(b)).toBe(meaning(a) === meaning(b));
      }),
      { numRuns: 300 },
    );
  });
});

describe("tensors", () => {
  const ints = (data: readonly number[], shape: readonly number[]): Tensors => ({
    ids: { datatype: "INT32", shape: [...shape], data: Int32Array.from(data) },
  });

  test("are named by name, datatype, shape and bytes, and by the outputs that are wanted", () => {
    const named = [
      ints([1, 2], [1, 2]),
      ints([1, 2], [2, 1]),
      ints([1, 3], [1, 2]),
      { ids: { datatype: "UINT32", shape: [1, 2], data: Uint32Array.from([1, 2]) } },
      { other: { datatype: "INT32", shape: [1, 2], data: Int32Array.from([1, 2]) } },
      { ids: { datatype: "BYTES", shape: [1, 2], data: ["1", "2"] } },
      { ids: { datatype: "BYTES", shape: [1, 2], data: ["", "12"] } },
    ] as Tensors[];
    const keys = [...named.map((inputs) => tensorKeyOf(inputs)), tensorKeyOf(ints([1, 2], [1, 2]), ["a"])];
    expect(new Set(keys).size).toBe(named.length + 1);
    expect(tensorKeyOf(ints([1, 2], [1, 2]))).toBe(keys[0]);
  });

  test("are named alike in whatever order they come", () => {
    const [a, b] = [ints([1], [1]), { mask: { datatype: "INT32", shape: [1], data: Int32Array.from([0]) } } as Tensors];
    expect(tensorKeyOf({ ...a, ...b })).toBe(tensorKeyOf({ ...b, ...a }));
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

test.each([
  [{ temperature: 0 }, false],
  [{ temperature: 0.7, seed: 7 }, false],
  [{ temperature: 0.7 }, true],
  [{}, true],
  [{ temperature: null, seed: null }, true],
])("a chat that says %o is sampled: %s", (more, sampled) => {
  const body = { model: "m", messages: [{ role: "user", content: "hi" }], ...more };
  expect(isSampled(taken(acceptChat(body)))).toBe(sampled);
});

test("the helper spells the same value", () => {
  fc.assert(
    fc.property(chat, spelling, (body, choices) => {
      expect(sorted(JSON.parse(spelled(body, choices)))).toEqual(sorted(JSON.parse(JSON.stringify(body))));
    }),
  );
});
