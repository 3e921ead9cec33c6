import type { ChatRequest } from "@ledge/contract";
import { expect, test } from "vitest";
import { chatParametersOf } from "./chat-parameters.ts";
import { outputBudget } from "./output-budget.ts";

const asks = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  ...more,
});

test("what is not said has OpenAI's defaults", () => {
  expect(chatParametersOf(asks())).toEqual({
    ok: true,
    value: {
      messages: [{ role: "user", content: "hi" }],
      temperature: 1,
      topP: 1,
      seed: undefined,
      tokensMax: undefined,
      stops: [],
      said: "",
    },
  });
});

test("text parts are joined and a developer speaks as the system", () => {
  const parts = [
    { type: "text" as const, text: "a" },
    { type: "text" as const, text: "b" },
  ];
  const result = chatParametersOf(asks({ messages: [{ role: "developer", content: parts }] }));
  expect(result).toMatchObject({ value: { messages: [{ role: "system", content: "a\nb" }] } });
});

test("every parameter that is not honoured is named at once", () => {
  const result = chatParametersOf(
    asks({ n: 2, logprobs: true, min_p: 0.1, messages: [{ role: "tool", content: "x" }] }),
  );
  const paths = result.ok ? [] : (result.fault.issues ?? []).map((issue) => issue.path);
  expect(new Set(paths)).toEqual(new Set(["messages[0].role", "n", "logprobs", "min_p"]));
  expect(result).toMatchObject({ fault: { code: "unsupported_parameter" } });
});

test("a turn that only called tools is refused by a model that has none", () => {
  const call = { role: "assistant" as const, content: null, tool_calls: [{ id: "1" }] };
  const result = chatParametersOf(asks({ messages: [call] }));
  const paths = result.ok ? [] : (result.fault.issues ?? []).map((issue) => issue.path);
  expect(new Set(paths)).toEqual(new Set(["messages[0].content", "messages[0].tool_calls"]));
});

test("a null stands for a parameter that is not there", () => {
  expect(chatParametersOf(asks({ n: null, tools: null, temperature: null, stop: null })).ok).toBe(true);
});

test("a limit that does not fit is refused; none is cut to what is left", () => {
  const budget = (promptTokens: number, asked?: number) => outputBudget({ promptTokens, contextTokens: 100, asked });
  expect(budget(90, 10)).toEqual({ ok: true, value: 10 });
  expect(budget(90, 11)).toMatchObject({ fault: { code: "context_length_exceeded" } });
  expect(budget(90)).toEqual({ ok: true, value: 10 });
  expect(budget(100)).toMatchObject({ fault: { code: "context_length_exceeded" } });
});
