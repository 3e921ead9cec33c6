import { describe, expect, test } from "vitest";
import { judgeChat, judgeRefusal, judgeStream, judgeTensors } from "./judge.ts";

const whole = (content: string) => JSON.stringify({ choices: [{ message: { content } }] });
const stream = (...events: readonly (string | object)[]) =>
  events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("");
const piece = (content: string) => ({ choices: [{ delta: { content } }] });
const failure = (code: string) => ({ error: { message: "It failed.", code } });

describe("a chat", () => {
  test.each([
    ["right", whole("to be or not")],
    ["wrong", whole("to be and not")],
    ["duplicated", whole("to be or not or not")],
    ["silent", '{"choices":[{"mess'],
  ] as const)("is %s", (verdict, body) => {
    expect(judgeChat(body, "to be or not").verdict).toBe(verdict);
  });
});

describe("a stream", () => {
  test.each([
    ["right", "that says all and [DONE]", stream(piece("to be"), piece(" or not"), "[DONE]")],
    ["wrong", "that says less and [DONE]", stream(piece("to be"), "[DONE]")],
    ["duplicated", "that begins anew", stream(piece("to be"), piece("to be or not"), "[DONE]")],
    ["duplicated", "that goes on after [DONE]", stream(piece("to be or not"), "[DONE]", piece("to be or not"))],
    ["told", "that ends with an error to try again after", stream(piece("to be"), failure("upstream_failed"))],
    ["wrong", "that said something else before its error", stream(piece("or not"), failure("upstream_failed"))],
    ["wrong", "that says both an error and [DONE]", stream(failure("upstream_failed"), "[DONE]")],
    ["silent", "that just ends", stream(piece("to be"), piece(" or not"))],
  ] as const)("is %s: one %s", (verdict, _what, body) => {
    expect(judgeStream(body, "to be or not").verdict).toBe(verdict);
  });
});

test("a refusal is told when the caller may try again, and wrong when a valid call is called wrong, or a bug says so", () => {
  expect(judgeRefusal(503, JSON.stringify(failure("overloaded")))).toEqual({ verdict: "told", code: "overloaded" });
  expect(judgeRefusal(503, '{"error":"Later."}')).toEqual({ verdict: "told", code: "503" });
  expect(judgeRefusal(401, JSON.stringify(failure("invalid_credentials"))).verdict).toBe("wrong");
  expect(judgeRefusal(500, JSON.stringify(failure("internal_error"))).verdict).toBe("wrong");
});

test("tensors are right when each output has each value, and nothing else is there", () => {
  const expected = { sum: [3], difference: [-1] };
  const body = (sum: number, more: readonly object[] = []) =>
    JSON.stringify({ outputs: [{ name: "sum", data: [sum] }, { name: "difference", data: [-1] }, ...more] });
  expect(judgeTensors(body(3), expected).verdict).toBe("right");
  expect(judgeTensors(body(4), expected).verdict).toBe("wrong");
  expect(judgeTensors(body(3, [{ name: "sum", data: [3] }]), expected).verdict).toBe("wrong");
  expect(judgeTensors("", expected).verdict).toBe("silent");
});
