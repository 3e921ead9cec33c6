import { expect, test } from "vitest";
import { reasonOf } from "./reason-of.ts";

test("an operator that is not there is named", () => {
  const messages = [
    "Load model from /a/b.onnx failed:Fatal error: com.acme:Foo(-1) is not a registered function/op",
    "This is an invalid model. In Node, ..., Error No Op registered for Foo with domain_version of 17",
    "Could not find an implementation for Foo(14) node with name ''",
  ];
  for (const message of messages) expect(reasonOf(message)).toMatch(/^it has no operator (?:com\.acme:)?Foo for these/);
});

test("what is left is one short sentence without places on this machine", () => {
  const said = "Load model from /a/b/c.onnx failed:Invalid model. Node input 'z' is not a graph input";
  expect(reasonOf(said)).toBe("Invalid model. Node input 'z' is not a graph input.");
  expect(reasonOf(`Can't create a session. ERROR_CODE: 10, ERROR_MESSAGE: ${"x".repeat(999)}`).length).toBe(301);
});
