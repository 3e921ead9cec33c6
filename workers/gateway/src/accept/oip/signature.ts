import type { ModelManifest, TensorSpec } from "@ledge/contract";

/**
 * A model with steps around its graph is served by what goes into the first step and comes out of the last: a text
 * classifier takes `text` and gives `label`, `score` and `logits`. Its graph's own tensors can be named all the same.
 */
export interface Signature {
  readonly input: "text" | "image" | "audio";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** `undefined` for a model without steps, which is served by its graph's own tensors, and for one that chats. */
export function signatureOf(manifest: ModelManifest): Signature | undefined {
  const { task, preprocess, postprocess, served } = manifest;
  if (served !== undefined && task === "embedding") return embedder(postprocess?.dimensions);
  if (preprocess === undefined || postprocess === undefined || task === "chat" || task === "tensor") return undefined;
  const input = preprocess.kind === "image" || preprocess.kind === "audio" ? preprocess.kind : "text";
  const inputs = inputsOf(input);
  if (postprocess.kind === "embedding") return embedder(postprocess.dimensions, input);
  const named = manifest.outputs.find(({ name }) => name === postprocess.output) ?? manifest.outputs[0];
  const outputs: TensorSpec[] = [
    { name: "label", datatype: "BYTES", shape: [-1] },
    { name: "score", datatype: "FP32", shape: [-1] },
    { name: "logits", datatype: "FP32", shape: [-1, named?.shape.at(-1) ?? -1] },
  ];
  return { input, inputs, outputs };
}

function embedder(dimensions: unknown, input: Signature["input"] = "text"): Signature {
  const shape = [-1, typeof dimensions === "number" ? dimensions : -1];
  return { input, inputs: inputsOf(input), outputs: [{ name: "embedding", datatype: "FP32", shape }] };
}

function inputsOf(input: Signature["input"]): readonly TensorSpec[] {
  return [{ name: input, datatype: "BYTES", shape: [-1] }];
}

/** What Triton calls the framework; of a model that an engine serves we know none. */
export function platformOf({ served }: ModelManifest): string {
  return served === undefined ? "onnx_onnxv1" : "";
}

/** The tensors a model is described by. */
export function describedTensors(manifest: ModelManifest): Pick<ModelManifest, "inputs" | "outputs"> {
  const { inputs, outputs } = signatureOf(manifest) ?? manifest;
  return { inputs: [...inputs], outputs: [...outputs] };
}
