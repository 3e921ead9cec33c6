import type { Datatype, Tensor, Tensors } from "@ledge/contract";
import { datatypeOfOrt, ortTypes } from "@ledge/pipeline";
import { Tensor as OrtTensor } from "onnxruntime-node";

/** Tensors as native ONNX Runtime takes them. */
export function toOrt(tensors: Tensors): Record<string, OrtTensor> {
  const made = Object.entries(tensors).map(([name, { datatype, data, shape }]) => {
    const values = datatype === "BYTES" ? [...data] : data;
    return [name, new OrtTensor(ortTypes[datatype], values as never, shape)] as const;
  });
  return Object.fromEntries(made);
}

/**
 * The outputs of a run as plain data, copied out of the engine.
 *
 * @throws Error for an output that is no tensor, or of a type that no request can carry.
 */
export function fromOrt(outputs: Readonly<Record<string, OrtTensor>>): Tensors {
  const read = Object.entries(outputs).map(([name, value]) => {
    const datatype = datatypeOfOrt(value.type);
    if (datatype === undefined) throw new Error(`The output '${name}' is ${value.type}, which no answer can carry.`);
    return [name, { datatype, shape: [...value.dims], data: copyOf(datatype, value.data) } as Tensor] as const;
  });
  return Object.fromEntries(read);
}

function copyOf(datatype: Datatype, data: OrtTensor["data"]): Tensor["data"] {
  if (Array.isArray(data)) return [...data];
  const copy = data.slice();
  // Newer engines give a Float16Array; the contract carries the bits.
  return datatype === "FP16" ? new Uint16Array(copy.buffer, copy.byteOffset, copy.length) : copy;
}
