import * as z from "zod/mini";

/** Datatypes by their Open Inference Protocol names. BF16 travels only as FP32: no runtime of ours computes in it. */
export const datatype = z.enum([
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "FP32",
  "FP64",
  "BYTES",
]);
export type Datatype = z.infer<typeof datatype>;

/** The array that holds each datatype's elements. FP16 as its 16 bits; BOOL as 0 or 1; BYTES as text. */
export interface TensorData {
  readonly BOOL: Uint8Array;
  readonly UINT8: Uint8Array;
  readonly UINT16: Uint16Array;
  readonly UINT32: Uint32Array;
  readonly UINT64: BigUint64Array;
  readonly INT8: Int8Array;
  readonly INT16: Int16Array;
  readonly INT32: Int32Array;
  readonly INT64: BigInt64Array;
  readonly FP16: Uint16Array;
  readonly FP32: Float32Array;
  readonly FP64: Float64Array;
  readonly BYTES: readonly string[];
}

/** A dense tensor in row-major order. It is plain data: it crosses RPC as it is. */
export type Tensor = {
  readonly [D in Datatype]: { readonly datatype: D; readonly shape: readonly number[]; readonly data: TensorData[D] };
}[Datatype];

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;
