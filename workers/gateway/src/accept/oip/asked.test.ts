import { dealBinary, type InferInput, type InferRequest, type ModelManifest, type Result } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { deployed } from "../../../../../test/support/deployed.ts";
import { askInfer, type InferAsked } from "./asked.ts";
import type { InferFrame } from "./frame.ts";

const text = { name: "text", datatype: "BYTES", shape: [1], data: ["a"] } as const;
const classifier: Partial<ModelManifest> = {
  task: "text-classification",
  preprocess: { kind: "tokenizer" },
  postprocess: { kind: "softmax-labels" },
};
const pictures: Partial<ModelManifest> = { ...classifier, task: "image-classification", preprocess: { kind: "image" } };
const embedder: Partial<ModelManifest> = {
  ...classifier,
  task: "embedding",
  postprocess: { kind: "embedding", dimensions: 8 },
};

function ask(
  manifest: Partial<ModelManifest>,
  inputs: readonly object[],
  more: Partial<Pick<InferRequest, "parameters" | "outputs">> = {},
  behind = new Uint8Array(),
): Result<InferAsked> {
  const tensors = dealBinary(inputs as readonly InferInput[], behind);
  if (!tensors.ok) return tensors;
  const { outputs, parameters = {} } = more;
  const frame: InferFrame = {
    model: { name: "m" },
    parameters,
    body: { tensors: tensors.value },
    ...(outputs === undefined ? {} : { outputs }),
  };
  return askInfer(frame, deployed(manifest));
}

/** What a raw body becomes. */
function raw(manifest: Partial<ModelManifest>, bytes: Uint8Array): Result<InferAsked> {
  return askInfer({ model: { name: "m" }, parameters: {}, body: { raw: bytes } }, deployed(manifest));
}

describe("a model with steps", () => {
  test("is asked through its steps when its input is named, and its graph when the graph's are", () => {
    expect(ask(classifier, [text])).toMatchObject({
      ok: true,
      value: { call: { task: "text-classification", inputs: ["a"], topK: 1, logits: true } },
    });
    const ids = { name: "ids", datatype: "INT32", shape: [1, 2], data: [1, 2] };
    expect(ask(classifier, [ids])).toMatchObject({ ok: true, value: { call: { task: "tensor" } } });
  });

  test("that embeds gives one output, embedding", () => {
    const asked = ask(embedder, [text]);
    expect(asked.ok && asked.value.wishes.map(({ name }) => name)).toEqual(["embedding"]);
  });

  test("takes a picture's bytes as they are in binary form, and in base64 in JSON", () => {
    const head = { name: "image", datatype: "BYTES", shape: [1] };
    const binary = ask(
      pictures,
      [{ ...head, parameters: { binary_data_size: 7 } }],
      {},
      Uint8Array.of(3, 0, 0, 0, 255, 216, 255),
    );
    const json = ask(pictures, [{ ...head, data: ["/9j/"] }]);
    for (const asked of [binary, json])
      expect(asked).toMatchObject({ ok: true, value: { call: { inputs: [{ image: "/9j/" }] } } });
    expect(ask(pictures, [{ ...head, data: ["no base64!"] }])).toMatchObject({ fault: { code: "invalid_shape" } });
  });

  test("is not asked what it does not do", () => {
    expect(ask({ task: "chat" }, [text])).toMatchObject({ fault: { code: "unsupported_task" } });
  });

  test("is asked for no more logits, and no more labels, than are wanted", () => {
    const outputs = [{ name: "label" }];
    expect(ask(classifier, [text], { outputs })).toMatchObject({ value: { call: { logits: false, topK: 1 } } });
    const classes = [{ name: "logits", parameters: { classification: 5 } }];
    expect(ask(classifier, [text], { outputs: classes })).toMatchObject({ value: { call: { logits: true, topK: 5 } } });
  });
});

describe("a graph's own tensors", () => {
  const ids = { name: "ids", datatype: "INT32", shape: [1, 2], data: [1, 2] };

  test.each<[string, readonly object[], string]>([
    ["another datatype", [{ ...ids, datatype: "INT64" }], "'ids' has the datatype INT32, not INT64"],
    ["another rank", [{ ...ids, shape: [2] }], "'ids' has the shape [-1, -1], not [2]"],
    ["another name", [{ ...ids, name: "tokens" }], "'tokens' is no input of this model"],
  ])("%s is refused, and the sentence says what the graph takes", (_what, inputs, says) => {
    const asked = ask({}, inputs);
    expect(asked).toMatchObject({ ok: false, fault: { code: "invalid_shape" } });
    expect(asked.ok ? "" : asked.fault.detail).toContain(says);
    expect(asked.ok ? "" : asked.fault.detail).toContain("the graph takes 'ids' INT32 [-1, -1]");
  });

  test("all have to be there", () => {
    const inputs = [...deployed({}).manifest.inputs, { name: "mask", datatype: "BOOL" as const, shape: [-1, -1] }];
    expect(ask({ inputs }, [ids])).toMatchObject({ fault: { detail: expect.stringContaining("'mask' is missing") } });
  });

  test("outputs are asked of the tier by name, each once, in one order: the order of a wish changes no answer", () => {
    const outputs = [{ name: "logits" }, { name: "logits", parameters: { binary_data: true } }];
    expect(ask({}, [ids], { outputs })).toMatchObject({
      value: { call: { outputs: ["logits"] }, wishes: [{ binary: false }, { binary: true }] },
    });
  });
});

describe("outputs", () => {
  test("are JSON unless the request or the output says binary, and the output has the last word", () => {
    const wished = (parameters: NonNullable<InferRequest["parameters"]>, own?: boolean) => {
      const outputs = [{ name: "logits", ...(own === undefined ? {} : { parameters: { binary_data: own } }) }];
      const asked = ask({}, [{ name: "ids", datatype: "INT32", shape: [1, 1], data: [1] }], { parameters, outputs });
      return asked.ok && asked.value.wishes[0]?.binary;
    };
    expect([wished({}), wished({ binary_data_output: true }), wished({ binary_data_output: true }, false)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test.each<[string, object]>([
    ["binary_data", { binary_data: 1 }],
    ["classification", { classification: 1.5 }],
    ["datatype", { datatype: "FP16" }],
  ])("%s of a wrong type is refused", (_what, parameters) => {
    const outputs = [{ name: "logits", parameters }] as NonNullable<InferRequest["outputs"]>;
    const asked = ask({}, [{ name: "ids", datatype: "INT32", shape: [1, 1], data: [1] }], { outputs });
    expect(asked).toMatchObject({ fault: { code: "invalid_shape" } });
  });
});

describe("a raw body", () => {
  const one = (datatype: "FP32" | "BYTES", shape: readonly number[]) => ({
    inputs: [{ name: "x", datatype, shape: [...shape] }],
  });

  test("is one row, whose variable dimension follows from its length", () => {
    const asked = raw(one("FP32", [-1, 2, -1]), new Uint8Array(24));
    expect(asked).toMatchObject({ ok: true, value: { call: { inputs: { x: { shape: [1, 2, 3] } } } } });
    expect(asked.ok && asked.value.wishes.every(({ binary }) => binary)).toBe(true);
  });

  test("of BYTES is one element", () => {
    expect(raw(one("BYTES", [-1, 1]), Uint8Array.of(65, 66))).toMatchObject({
      value: { call: { inputs: { x: { shape: [1, 1], data: ["AB"] } } } },
    });
  });

  test("that does not fill whole elements, or is for more than one input, is refused", () => {
    expect(raw(one("FP32", [-1, 2]), new Uint8Array(7))).toMatchObject({ fault: { code: "invalid_shape" } });
    const two = [
      { name: "x", datatype: "FP32" as const, shape: [1] },
      { name: "y", datatype: "FP32" as const, shape: [1] },
    ];
    expect(raw({ inputs: two }, new Uint8Array(4))).toMatchObject({ fault: { code: "invalid_shape" } });
  });
});
