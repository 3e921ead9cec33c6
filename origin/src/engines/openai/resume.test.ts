import type { ChatRequest } from "@ledge/contract";
import { expect, test } from "vitest";
import { resumedRequest, withoutResume } from "./resume.ts";

const asked: ChatRequest = { model: "m", messages: [{ role: "user", content: "hi" }], stream: true };
const resumes = (more: object, resume: object = { text: "Once" }) =>
  resumedRequest({ ...asked, ...more, stream_options: { include_usage: true, resume: { text: "", ...resume } } }, true);

test("a request that resumes nothing goes to the server as it came", () => {
  const request = { ...asked, stream_options: { include_usage: true } };
  expect(resumedRequest(request, false)).toEqual({ ok: true, value: request });
});

test("what was said is the last message, to be gone on with, and the server hears nothing of our own parameter", () => {
  expect(resumes({ temperature: 0 })).toEqual({
    ok: true,
    value: {
      ...asked,
      temperature: 0,
      messages: [...asked.messages, { role: "assistant", content: "Once" }],
      add_generation_prompt: false,
      continue_final_message: true,
      stream_options: { include_usage: true },
    },
  });
});

test("an answer of which nothing came is begun anew, by any server", () => {
  const request = { ...asked, stream_options: { resume: { text: "" } } };
  expect(resumedRequest(request, true)).toEqual({ ok: true, value: { ...asked, stream_options: {} } });
});

test("a limit is of the whole answer, and one that is used up leaves nothing to say", () => {
  expect(resumes({ max_tokens: 10 }, { text: "Once", tokens: 4 })).toMatchObject({ value: { max_tokens: 6 } });
  expect(resumes({ max_completion_tokens: 4 }, { text: "Once", tokens: 4 })).toEqual({ ok: true, value: undefined });
});

test.each([
  ["n", { n: 2 }],
  ["response_format", { response_format: { type: "json_object" } }],
  ["guided_json", { guided_json: {} }],
  ["tool_choice", { tool_choice: "required" }],
  ["stream_options.resume.tokens", { max_tokens: 10 }],
])("what a server would begin anew, or cannot count, is refused by its name: %s", (path, more) => {
  expect(resumes(more)).toMatchObject({ fault: { code: "unsupported_parameter", issues: [{ path }] } });
});

test("a server that is not said to be able to is not asked", () => {
  const request = { ...asked, stream_options: { resume: { text: "Once" } } };
  expect(resumedRequest(request, false)).toMatchObject({ fault: { code: "unsupported_parameter" } });
});

test("a completion is resumed by its caller", () => {
  expect(withoutResume({ model: "m", prompt: "a" }).ok).toBe(true);
  const resumed = { model: "m", prompt: "a", stream_options: { resume: { text: "b" } } };
  expect(withoutResume(resumed)).toMatchObject({ fault: { code: "unsupported_parameter" } });
});
