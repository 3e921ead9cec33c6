import type { Tensor } from "@ledge/contract";

/** The datatypes that a step after the graph reads. */
export const floatTypes: readonly Tensor["datatype"][] = ["FP32", "FP16", "FP64"];

/** A float tensor's values in single precision, FP32 as they lie; undefined for another datatype. */
export function floatsOf(tensor: Tensor | undefined): Float32Array | undefined {
  switch (tensor?.datatype) {
    case "FP32":
      return tensor.data;
    case "FP64":
      return Float32Array.from(tensor.data);
    case "FP16":
      return Float32Array.from(tensor.data, fromHalf);
    default:
      return undefined;
  }
}

/** IEEE 754 binary16 by its bits: 1 of sign, 5 of exponent, 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
