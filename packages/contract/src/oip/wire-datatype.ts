import * as z from "zod/mini";
import { datatype } from "../tensor.ts";

/** A datatype as it is named on the wire: ours, and BF16, which becomes FP32 here and comes of FP32 when it is asked for. */
export const wireDatatype = z.union([datatype, z.literal("BF16")]);
export type WireDatatype = z.infer<typeof wireDatatype>;

/** Bytes of one element in binary form. BYTES elements carry their own length. */
export const elementBytes: Readonly<Record<Exclude<WireDatatype, "BYTES">, 1 | 2 | 4 | 8>> = {
  BOOL: 1,
  UINT8: 1,
  INT8: 1,
  UINT16: 2,
  INT16: 2,
  FP16: 2,
  BF16: 2,
  UINT32: 4,
  INT32: 4,
  FP32: 4,
  UINT64: 8,
  INT64: 8,
  FP64: 8,
};

/** Elements of a tensor of this shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
