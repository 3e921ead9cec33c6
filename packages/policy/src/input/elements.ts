import type { Tensor } from "@ledge/contract";

/** Tensors whose elements are numbers, or 0 and 1. */
export type NumberTensor = Exclude<Tensor, { readonly datatype: "BYTES" }>;

/** How an element of a datatype is read as a number: 64-bit integers to the nearest double, halves as what their bits say. */
export function elementReader({ datatype, data }: NumberTensor): (at: number) => number {
  return datatype === "FP16" ? (at) => halfValue(data[at] ?? 0) : (at) => Number(data[at]);
}

/** IEEE 754 half precision. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
