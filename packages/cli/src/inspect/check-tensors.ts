import { Refusal } from "../refusal.ts";
import { elementTypeOf } from "./element-types.ts";
import type { OnnxGraph, OnnxTensor } from "./onnx.ts";

/** Every tensor that a graph carries: its weights, and the constants in its nodes and their inner graphs. */
export function* tensorsOf({ initialisers, nodes }: OnnxGraph): Generator<OnnxTensor> {
  yield* initialisers;
  for (const { tensors, graphs } of nodes) {
    yield* tensors;
    for (const graph of graphs) yield* tensorsOf(graph);
  }
}

/**
 * Holds what a tensor declares against what it carries, so that a short file cannot ask for a gigabyte. Tensors whose
 * bytes lie in other files are held against those, in `external-data.ts`.
 *
 * @throws Refusal naming the tensor.
 */
export function checkTensor(tensor: OnnxTensor): void {
  if (tensor.external !== undefined) return;
  const wanted = bytesOf(tensor);
  const { bits } = typeOf(tensor);
  if (tensor.rawBytes !== undefined && bits > 0) {
    if (tensor.rawBytes === wanted) return;
    throw new Refusal(`${called(tensor)} declares ${wanted} bytes and carries ${tensor.rawBytes}: the file is broken.`);
  }
  // Complex numbers take two elements of a typed field; four-bit numbers may be packed, two in one.
  const elements = tensor.dims.reduce((product, size) => product * size, 1);
  const least = bits > 32 && bits !== 64 ? elements * 2 : bits === 4 ? Math.ceil(elements / 2) : elements;
  if (tensor.typedCount >= least) return;
  throw new Refusal(
    `${called(tensor)} declares ${elements} elements and carries ${tensor.typedCount}: the file is broken.`,
  );
}

/** Bytes that a tensor's shape and type need. Throws Refusal when they make no sense. */
export function bytesOf(tensor: OnnxTensor): number {
  const { bits } = typeOf(tensor);
  const elements = tensor.dims.reduce((product, size) => product * size, 1);
  if (tensor.dims.some((size) => size < 0) || !Number.isSafeInteger(elements)) {
    throw new Refusal(`${called(tensor)} has the impossible shape [${tensor.dims.join(", ")}]: the file is broken.`);
  }
  return Math.ceil((elements * bits) / 8);
}

function typeOf(tensor: OnnxTensor) {
  const type = elementTypeOf(tensor.elementType);
  if (type === undefined) {
    throw new Refusal(`${called(tensor)} is of an unknown type (${tensor.elementType}): export the model anew.`);
  }
  return type;
}

function called({ name }: OnnxTensor): string {
  return name === "" ? "A constant" : `The tensor '${name.slice(0, 80)}'`;
}
