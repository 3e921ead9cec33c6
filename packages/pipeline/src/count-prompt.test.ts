import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChatRequest, modelManifest } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { createPromptCounter, filesOfCounting } from "./count-prompt.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "models", "tiny-chat", "1");
const manifest = modelManifest.parse(JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
const files = new Map(
  filesOfCounting(manifest).map(({ path }) => [path, new Uint8Array(readFileSync(join(folder, path)))]),
);

const request = (more: object = {}): ChatRequest => ({
  model: "tiny-chat",
  messages: [{ role: "user", content: "Good morrow." }],
  ...more,
});

function countOf(chat: ChatRequest): number | undefined {
  const count = createPromptCounter(manifest, files);
  if (!count.ok) throw new Error(count.fault.cause);
  const counted = count.value({ chat });
  return counted.ok ? counted.value : undefined;
}

describe("a chat's prompt", () => {
  const usual = countOf(request());

  test("is counted from the package's tokenizer and template, and not its graph", () => {
    expect([...files.keys()].sort()).toEqual(["tokenizer.json", "tokenizer_config.json"]);
    expect(usual).toBeGreaterThan(4);
  });

  test("is longer by each turn", () => {
    const { messages } = request();
    expect(countOf(request({ messages: [...messages, ...messages] }))).toBeGreaterThan(usual ?? 0);
  });

  test("is not changed by what only says how it is answered", () => {
    const how = { stream: true, temperature: 0, seed: 7, n: 2, stop: ["x"], max_tokens: 9, user: "me", tools: null };
    expect(countOf(request(how))).toBe(usual);
  });

  test.each<[string, object]>([
    ["tools", { tools: [{ type: "function", function: { name: "f" } }] }],
    ["a form of the answer", { response_format: { type: "json_object" } }],
    ["what is unknown here", { chat_template_kwargs: { thinking: true } }],
    ["a turn that calls a tool", { messages: [{ role: "assistant", content: "", tool_calls: [] }] }],
    ["a turn of a tool", { messages: [{ role: "tool", content: "42" }] }],
  ])("is not told with %s, which may be part of it", (_what, more) => {
    expect(countOf(request(more))).toBeUndefined();
  });

  test("is not told of texts, which the model does not take", () => {
    const count = createPromptCounter(manifest, files);
    expect(count.ok && count.value({ texts: ["a"] }).ok).toBe(false);
  });
});

describe("a package that nothing can be counted by", () => {
  const fileOf = (value: unknown) => new Uint8Array(Buffer.from(JSON.stringify(value)));

  test.each<[string, object, ReadonlyMap<string, Uint8Array>]>([
    ["has no steps", { preprocess: undefined }, files],
    ["has steps of a kind that is unknown", { preprocess: { kind: "other" } }, files],
    ["lacks its tokenizer", {}, new Map()],
    ["has no template", {}, new Map([...files, ["tokenizer_config.json", fileOf({})]])],
    [
      "has a template that is none",
      {},
      new Map([...files, ["tokenizer_config.json", fileOf({ chat_template: "{% if %}" })]]),
    ],
    ["has a tokenizer that is none", {}, new Map([...files, ["tokenizer.json", fileOf({ model: { type: "Other" } })]])],
    ["takes pictures", { preprocess: { kind: "image" } }, files],
  ])("%s, and says so", (_what, more, given) => {
    const { preprocess: _preprocess, ...rest } = manifest;
    const step = "preprocess" in more ? more : { preprocess: manifest.preprocess };
    const made = createPromptCounter(
      { ...rest, ...(step.preprocess === undefined ? {} : { preprocess: step.preprocess as never }) },
      given,
    );
    expect(made).toMatchObject({ ok: false, fault: { code: "model_not_ready", cause: expect.stringMatching(/./) } });
  });

  test("takes the named template where a package has several", () => {
    const config = JSON.parse(Buffer.from(files.get("tokenizer_config.json") ?? []).toString());
    const several = [
      { name: "tool_use", template: "{{ 'tools' }}" },
      { name: "default", template: config.chat_template },
    ];
    const made = createPromptCounter(
      manifest,
      new Map([...files, ["tokenizer_config.json", fileOf({ ...config, chat_template: several })]]),
    );
    if (!made.ok) throw new Error(made.fault.cause);
    expect(made.value({ chat: request() })).toEqual({ ok: true, value: countOf(request()) });
  });
});
