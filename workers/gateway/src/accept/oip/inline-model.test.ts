import { modelManifest, parse } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { readInlineModel } from "./inline-model.ts";
import { acceptLoad } from "./repository.ts";

const graph = Buffer.from("a graph").toString("base64");
const input = [{ name: "x", data_type: "TYPE_FP32", dims: [-1, 4] }];
const output = [{ name: "y", data_type: "TYPE_STRING", dims: ["1"], reshape: { shape: [] } }];

function load(config: unknown, files: Readonly<Record<string, string>> = { "file:1/model.onnx": graph }) {
  const asked = acceptLoad({
    parameters: { config: typeof config === "string" ? config : JSON.stringify(config), ...files },
  });
  return asked.ok ? readInlineModel("m", asked.value) : asked;
}

describe("a model that comes with its load request", () => {
  test("becomes a package: tensors with the batch in front, what a batch takes, files without the version's folder", () => {
    const files = { "file:1/model.onnx": graph, "file:1/weights/a.bin": graph };
    const model = load({ name: "m", max_batch_size: 8, input, output, instance_group: [{ count: 1 }] }, files);
    expect(model).toMatchObject({
      ok: true,
      value: {
        graph: "model.onnx",
        manifest: {
          name: "m",
          task: "tensor",
          inputs: [{ name: "x", datatype: "FP32", shape: [-1, -1, 4] }],
          outputs: [{ name: "y", datatype: "BYTES", shape: [-1] }],
          limits: { batchMax: 8 },
        },
      },
    });
    if (!model.ok) return;
    expect([...model.value.files.keys()]).toEqual(["model.onnx", "weights/a.bin"]);
    const file = { path: "model.onnx", bytes: 7, sha256: "0".repeat(64) };
    expect(parse(modelManifest, { ...model.value.manifest, version: "1", file }).ok).toBe(true);
  });

  test("without a batch its dimensions are as they are", () => {
    expect(load({ input, output })).toMatchObject({
      value: { manifest: { inputs: [{ shape: [-1, 4] }], limits: {} } },
    });
  });

  test.each<[string, unknown, Readonly<Record<string, string>> | undefined]>([
    ["a config that is no JSON", "{", undefined],
    ["a config without inputs", { output }, undefined],
    ["another model's config", { name: "other", input, output }, undefined],
    ["an unknown data type", { input: [{ ...input[0], data_type: "TYPE_BF16" }], output }, undefined],
    ["a file that is no base64", { input, output }, { "file:1/model.onnx": "%" }],
    ["an empty file", { input, output }, { "file:1/model.onnx": "" }],
    ["a file without a version", { input, output }, { "file:model.onnx": graph }],
    ["a file twice", { input, output }, { "file:1/model.onnx": graph, "file:2/model.onnx": graph }],
    ["no graph", { input, output }, { "file:1/other.onnx": graph }],
  ])("%s is refused", (_what, config, files) => {
    expect(load(config, files)).toMatchObject({ ok: false, fault: { code: "invalid_request" } });
  });

  test("a parameter that means nothing is refused, not dropped", () => {
    expect(acceptLoad({ parameters: { configs: "{}" } })).toMatchObject({ fault: { code: "unsupported_parameter" } });
  });
});
