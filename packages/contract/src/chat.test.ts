import { expect, test } from "vitest";
import { chatRequest } from "./chat.ts";
import { parse } from "./parse.ts";

const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
const asked = (message: object) => parse(chatRequest, { model: "m", messages: [message] });

test("an assistant's turn that called tools may say nothing, and keeps its calls", () => {
  for (const said of [{ content: null }, {}, { content: "" }]) {
    const message = { role: "assistant", ...said, tool_calls: [call] };
    expect(asked(message)).toMatchObject({ ok: true, value: { messages: [message] } });
  }
});

test.each(["system", "developer", "user", "tool"])("a turn of %s without content is refused by its place", (role) => {
  for (const said of [{ content: null }, {}]) {
    const refused = asked({ role, ...said });
    expect(refused).toMatchObject({ ok: false, fault: { issues: [{ path: "messages[0].content" }] } });
  }
});

const resumed = (resume: object | null) =>
  parse(chatRequest, { model: "m", messages: [{ role: "user", content: "hi" }], stream_options: { resume } });

test("a call resumes from a text, and from nothing else", () => {
  for (const resume of [null, { text: "" }, { text: "a", tokens: 1, id: "chatcmpl-1", origin: "eu-1" }]) {
    expect(resumed(resume).ok).toBe(true);
  }
  for (const resume of [
    {},
    { text: null },
    { text: "a", tool_calls: [] },
    { text: "a", tokens: -1 },
    { text: "a", id: "" },
  ]) {
    expect(resumed(resume)).toMatchObject({ fault: { code: "invalid_request" } });
  }
});
