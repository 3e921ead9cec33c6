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
