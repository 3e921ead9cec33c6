import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TensorSpec } from "@ledge/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { choosePreparer } from "./choose-preparer.ts";
import type { Preparer } from "./preparer.ts";

const golden = join(import.meta.dirname, "..", "..", "golden");
/** The ids that Hugging Face's Python library gives. */
const { maxTokens, texts, ids }: { maxTokens: number; texts: string[]; ids: Record<string, number[][]> } = JSON.parse(
  readFileSync(join(golden, "token-ids.golden.json"), "utf8"),
);
const files: ReadonlyMap<string, Uint8Array> = new Map(
  ["wordpiece", "byte-level"].map((name) => [name, readFileSync(join(golden, `${name}.golden.json`))]),
);
const spec = (name: string, datatype: TensorSpec["datatype"] = "INT64", shape = [-1, -1]) => ({
  name,
  datatype,
  shape,
});
const all = { ids: "input_ids", mask: "attention_mask", types: "token_type_ids" };
const graph = Object.values(all).map((name) => spec(name));

function tokenizer(more: Record<string, unknown> = {}, inputs: readonly TensorSpec[] = graph, given = files) {
  const step = { kind: "tokenizer", tokenizer: "wordpiece", maxTokens, padId: 0, inputs: all, ...more };
  return choosePreparer(step, inputs, given);
}

function made(preparer: ReturnType<typeof tokenizer>): Preparer {
  if (!preparer.ok) throw new Error(preparer.fault.cause);
  return preparer.value;
}

function tensorsOf(preparer: Preparer, text: string) {
  const row = preparer.prepare(text);
  if (!row.ok) throw new Error(row.fault.detail);
  return row.value;
}

/** The Python library parts ideographs beyond U+FFFF, this one leaves them joined: known, and told in `tokenize.ts`. */
const joined = /[\u{20000}-\u{2ebef}]/u;

describe.each(["wordpiece", "byte-level"])("a Hugging Face tokenizer.json (%s)", (name) => {
  test.each([true, false])("gives the Python library's ids for 200 texts, special tokens: %s", (specialTokens) => {
    expect(texts).toHaveLength(200);
    const preparer = made(tokenizer({ tokenizer: name, specialTokens }));
    const expected = ids[specialTokens ? name : `${name} bare`] ?? [];
    for (const [at, text] of texts.entries()) {
      if (name === "wordpiece" && joined.test(text)) continue;
      const { tensors, tokens } = tensorsOf(preparer, text);
      expect(Array.from(tensors.input_ids?.data ?? [], Number), text).toEqual(expected[at]);
      expect(tokens).toBe(expected[at]?.length);
    }
  });

  test("gives at most maxTokens ids for any text, lone surrogates and control characters included", () => {
    const preparer = made(tokenizer({ tokenizer: name }));
    const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), units), (text) => {
        const row = preparer.prepare(text);
        expect(row.ok && row.value.tokens <= maxTokens && row.value.tokens >= 2).toBe(true);
      }),
    );
  });
});

describe("the tokenizer step", () => {
  test("feeds the mask with ones and the types with zeros, in the datatypes of the graph", () => {
    const inputs = [spec("input_ids"), spec("attention_mask", "INT32"), spec("token_type_ids")];
    const { tensors, tokens } = tensorsOf(made(tokenizer({}, inputs)), "hello");
    const ones = new Int32Array(tokens).fill(1);
    expect(tensors.attention_mask).toEqual({ datatype: "INT32", shape: [tokens], data: ones });
    expect(tensors.token_type_ids).toEqual({ datatype: "INT64", shape: [tokens], data: new BigInt64Array(tokens) });
  });

  test("takes texts only", () => {
    const fault = { code: "invalid_shape", detail: "This model takes texts." };
    expect(made(tokenizer()).prepare({ image: "" })).toEqual({ ok: false, fault });
  });

  test.each([
    ["a file that is not there", { tokenizer: "other" }, graph, files, /other is missing/],
    ["a file that is no JSON", {}, graph, new Map([["wordpiece", Uint8Array.of(255)]]), /not JSON/],
    ["a file that is no tokenizer", {}, graph, new Map([["wordpiece", Uint8Array.of(0x7b, 0x7d)]]), /no tokenizer/],
    ["a JSON null", {}, graph, new Map([["wordpiece", new TextEncoder().encode("null")]]), /no tokenizer/],
    ["an input the graph lacks", { inputs: { ids: "x" } }, graph, files, /no input x/],
    ["a graph with an input it does not feed", { inputs: { ids: "input_ids" } }, graph, files, /attention_mask/],
    ["ids that are floats", {}, [spec("input_ids", "FP32"), ...graph.slice(1)], files, /FP32/],
    ["a graph shorter than maxTokens", {}, [spec("input_ids", "INT64", [-1, 8]), ...graph.slice(1)], files, /8 places/],
    ["no room for a token", { maxTokens: 2 }, graph, files, /no room/],
    ["a member it does not know", { lowercase: true }, graph, files, /lowercase/],
  ] as const)("is not ready for %s, and says so", (_what, more, inputs, given, says) => {
    const refused = tokenizer(more, inputs, given);
    expect(refused).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!refused.ok) expect(refused.fault.cause).toMatch(says);
  });
});
