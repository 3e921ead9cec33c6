import { describe, expect, test } from "vitest";
import { deployed } from "../../../../test/support/deployed.ts";
import { acceptEmbeddings, embeddingCalls, presentEmbeddings } from "./embeddings.ts";

const embedder = deployed({ name: "embed", task: "embedding", postprocess: { kind: "embedding", dimensions: 2 } });

function accepted(body: object) {
  const asked = acceptEmbeddings({ model: "embed", input: "a", ...body });
  if (!asked.ok) throw new Error(asked.fault.code);
  return asked.value;
}

describe("embeddings", () => {
  test("take one text or many, and ask for as many at once as a call takes", () => {
    expect(embeddingCalls(accepted({}), embedder)).toMatchObject({ value: [{ inputs: ["a"], task: "embedding" }] });
    const calls = embeddingCalls(accepted({ input: Array(150).fill("x") }), embedder);
    expect(calls.ok && calls.value.map(({ inputs }) => inputs.length)).toEqual([64, 64, 22]);
  });

  test("come as numbers, or in base64 as little-endian FP32", () => {
    const vectors = [[0.5, -1]];
    const floats = JSON.parse(String(presentEmbeddings(accepted({}), vectors, 3, embedder).body));
    expect(floats).toMatchObject({ object: "list", model: "embed", usage: { prompt_tokens: 3, total_tokens: 3 } });
    expect(floats.data).toEqual([{ object: "embedding", index: 0, embedding: [0.5, -1] }]);
    const base64 = presentEmbeddings(accepted({ encoding_format: "base64" }), vectors, 3, embedder);
    const bytes = Buffer.from(JSON.parse(String(base64.body)).data[0].embedding, "base64");
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.5, -1]);
  });

  test("of another number of dimensions, or of a model that does not embed, are refused", () => {
    expect(embeddingCalls(accepted({ dimensions: 2 }), embedder).ok).toBe(true);
    expect(embeddingCalls(accepted({ dimensions: 3 }), embedder)).toMatchObject({
      fault: { code: "unsupported_parameter" },
    });
    expect(embeddingCalls(accepted({}), deployed())).toMatchObject({ fault: { code: "unsupported_task" } });
  });

  test.each([[{ input: [] }], [{ input: [[1, 2]] }], [{ input: 7 }], [{ encoding_format: "int8" }]])(
    "refuse %j",
    (body) => {
      expect(acceptEmbeddings({ model: "embed", input: "a", ...body }).ok).toBe(false);
    },
  );
});
