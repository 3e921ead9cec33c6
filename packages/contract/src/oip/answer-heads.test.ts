import { expect, test } from "vitest";
import { answerHeads } from "./answer-heads.ts";

const output = { name: "x", datatype: "FP32", shape: [1, 2], data: [1, 2] };

test("the outputs of an answer are read whatever else is in it, and without what is null", () => {
  const more = { ...output, parameters: null, data: null, unknown: 1 };
  const binary = { ...output, name: "y", datatype: "BF16", data: undefined, parameters: { binary_data_size: 4 } };
  const answer = { model_name: "m", id: null, outputs: [more, binary] };
  expect(answerHeads(answer)).toEqual({
    ok: true,
    value: [
      { name: "x", datatype: "FP32", shape: [1, 2] },
      { name: "y", datatype: "BF16", shape: [1, 2], parameters: { binary_data_size: 4 } },
    ],
  });
});

test.each([
  ["no object", null],
  ["a list", []],
  ["no outputs", {}],
  ["outputs that are no list", { outputs: {} }],
  ["too many outputs", { outputs: Array(65).fill(output) }],
  ["an output that is none", { outputs: [null] }],
  ["an output without a name", { outputs: [{ ...output, name: "" }] }],
  ["a datatype that is none", { outputs: [{ ...output, datatype: "FP8" }] }],
  ["a shape that is no list", { outputs: [{ ...output, shape: 2 }] }],
  ["a shape of too many dimensions", { outputs: [{ ...output, shape: Array(9).fill(1) }] }],
  ["a dimension below 0", { outputs: [{ ...output, shape: [-1] }] }],
  ["a dimension that is no whole number", { outputs: [{ ...output, shape: [1.5] }] }],
  ["a dimension that is no number", { outputs: [{ ...output, shape: ["1"] }] }],
  ["parameters that are no object", { outputs: [{ ...output, parameters: 1 }] }],
  ["data that is no list", { outputs: [{ ...output, data: "AAAA" }] }],
])("an answer of %s is none", (_what, answer) => {
  expect(answerHeads(answer)).toMatchObject({ ok: false, fault: { code: "invalid_request" } });
});
