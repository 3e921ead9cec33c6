import type { Datatype, Tensor, TensorData, Tensors } from "@ledge/contract";

/** Tensors as JSON, between a test and the Worker that stands where the gateway stands. 64-bit integers as texts. */

export interface TensorJson {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}
export type TensorsJson = Readonly<Record<string, TensorJson>>;

const arrays: { readonly [D in Datatype]: (data: readonly (number | string)[]) => TensorData[D] } = {
  BOOL: (data) => Uint8Array.from(data, Number),
  UINT8: (data) => Uint8Array.from(data, Number),
  UINT16: (data) => Uint16Array.from(data, Number),
  UINT32: (data) => Uint32Array.from(data, Number),
  UINT64: (data) => BigUint64Array.from(data, BigInt),
  INT8: (data) => Int8Array.from(data, Number),
  INT16: (data) => Int16Array.from(data, Number),
  INT32: (data) => Int32Array.from(data, Number),
  INT64: (data) => BigInt64Array.from(data, BigInt),
  FP16: (data) => Uint16Array.from(data, Number),
  FP32: (data) => Float32Array.from(data, Number),
  FP64: (data) => Float64Array.from(data, Number),
  BYTES: (data) => data.map(String),
};

export function fromJson(tensors: TensorsJson): Tensors {
  const read = ([name, { datatype, shape, data }]: [string, TensorJson]) =>
    [name, { datatype, shape, data: arrays[datatype](data) } as Tensor] as const;
  return Object.fromEntries(Object.entries(tensors).map(read));
}

export function toJson(tensors: Tensors): TensorsJson {
  const write = ([name, { datatype, shape, data }]: [string, Tensor]) => {
    const plain = Array.from<number | bigint | string>(data);
    return [name, { datatype, shape, data: plain.map((item) => (typeof item === "bigint" ? String(item) : item)) }];
  };
  return Object.fromEntries(Object.entries(tensors).map(write));
}
