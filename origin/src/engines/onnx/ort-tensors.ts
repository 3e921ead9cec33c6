import type { Tensor, Tensors } from "@ledge/contract";
import { datatypeOfOrt, ortTypes } from "@ledge/pipeline";
import * as ort from "onnxruntime-node";

/** Ledge's tensors as ONNX Runtime takes them; the data is shared, not copied. */
export function toOrt(tensors: Tensors): Record<string, ort.Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, ortTensor(tensor)]));
}

function ortTensor({ datatype, data, shape }: Tensor): ort.Tensor {
  // Its own class turns the bits into a Float16Array, which its native part reads as empty; that part takes any object like this.
  if (datatype === "FP16") return { type: "float16", dims: shape, data, location: "cpu" } as unknown as ort.Tensor;
  return new ort.Tensor(ortTypes[datatype], data as ort.Tensor.DataType, shape);
}

/** ONNX Runtime's outputs as tensors of ours. Throws for what no tensor of ours holds: a sequence, a map, 4-bit integers. */
export function fromOrt(outputs: ort.InferenceSession.OnnxValueMapType): Tensors {
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, tensorOf(name, value)]));
}

function tensorOf(name: string, value: ort.OnnxValue): Tensor {
  const { type, dims: shape, data } = value as ort.Tensor;
  const datatype = datatypeOfOrt(type);
  if (datatype === undefined) throw new Error(`The output ${name} is of type ${type ?? "unknown"}.`);
  // The tables hold the type and its array together, which no type can say.
  return { datatype, shape, data: datatype === "FP16" ? bitsOf(data) : data } as Tensor;
}

/** Half floats come as a Float16Array where the runtime has one: the same bits. */
function bitsOf(data: ort.Tensor.DataType): Uint16Array {
  if (data instanceof Uint16Array || !ArrayBuffer.isView(data)) return data as Uint16Array;
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}
