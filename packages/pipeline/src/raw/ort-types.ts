import type { Datatype } from "@ledge/contract";

/** What ONNX Runtime calls each datatype, in all its JavaScript packages. */
export const ortTypes = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
} as const satisfies Record<Datatype, string>;

const datatypes = new Map<string, Datatype>(
  Object.entries(ortTypes).map(([datatype, type]) => [type, datatype as Datatype]),
);

/** Undefined for a type that no tensor of ours holds: a sequence, a map, 4-bit integers. */
export function datatypeOfOrt(type: string | undefined): Datatype | undefined {
  return type === undefined ? undefined : datatypes.get(type);
}
