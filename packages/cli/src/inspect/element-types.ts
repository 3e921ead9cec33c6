import type { Datatype } from "@ledge/contract";

export interface ElementType {
  readonly onnxName: string;
  /** As the Open Inference Protocol names it; absent for types that no tensor of a request can have. */
  readonly datatype?: Datatype;
  /** Bits of an element where it lies as raw bytes; 0 for text. */
  readonly bits: number;
}

/** TensorProto.DataType, by number. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: { onnxName: "float", datatype: "FP32", bits: 32 },
  2: { onnxName: "uint8", datatype: "UINT8", bits: 8 },
  3: { onnxName: "int8", datatype: "INT8", bits: 8 },
  4: { onnxName: "uint16", datatype: "UINT16", bits: 16 },
  5: { onnxName: "int16", datatype: "INT16", bits: 16 },
  6: { onnxName: "int32", datatype: "INT32", bits: 32 },
  7: { onnxName: "int64", datatype: "INT64", bits: 64 },
  8: { onnxName: "string", datatype: "BYTES", bits: 0 },
  9: { onnxName: "bool", datatype: "BOOL", bits: 8 },
  10: { onnxName: "float16", datatype: "FP16", bits: 16 },
  11: { onnxName: "double", datatype: "FP64", bits: 64 },
  12: { onnxName: "uint32", datatype: "UINT32", bits: 32 },
  13: { onnxName: "uint64", datatype: "UINT64", bits: 64 },
  14: { onnxName: "complex64", bits: 64 },
  15: { onnxName: "complex128", bits: 128 },
  16: { onnxName: "bfloat16", bits: 16 },
  17: { onnxName: "float8e4m3fn", bits: 8 },
  18: { onnxName: "float8e4m3fnuz", bits: 8 },
  19: { onnxName: "float8e5m2", bits: 8 },
  20: { onnxName: "float8e5m2fnuz", bits: 8 },
  21: { onnxName: "uint4", bits: 4 },
  22: { onnxName: "int4", bits: 4 },
  23: { onnxName: "float4e2m1", bits: 4 },
};

/** Undefined for a number that ONNX has not given a meaning. */
export function elementTypeOf(number: number): ElementType | undefined {
  return elementTypes[number];
}
