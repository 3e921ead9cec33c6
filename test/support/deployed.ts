import type { ModelManifest } from "@ledge/contract";

/** A deployed model of one INT32 input and FP32 logits, changed as told. */
export function deployed(more: Partial<ModelManifest> = {}) {
  const manifest: ModelManifest = {
    name: "m",
    version: "1",
    task: "tensor",
    description: "",
    licence: "",
    file: { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) },
    inputs: [{ name: "ids", datatype: "INT32", shape: [-1, -1] }],
    outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 3] }],
    tiers: ["edge"],
    limits: {},
    ...more,
  };
  return { name: manifest.name, version: manifest.version, digest: "d".repeat(64), manifest };
}
