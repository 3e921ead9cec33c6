import type { Tensor, TensorSpec } from "@ledge/contract";

/**
 * What is wrong with a tensor's values by what its model declares: NaN or an infinity, or a value outside the range; a
 * sentence for the caller. `undefined` when nothing is.
 */
export function valueFault(tensor: Tensor, { name, range, finite }: TensorSpec): string | undefined {
  if ((range === undefined && finite !== true) || tensor.datatype === "BYTES" || tensor.datatype === "BOOL")
    return undefined;
  const [least, most] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const half = tensor.datatype === "FP16";
  for (let at = 0; at < tensor.data.length; at++) {
    const raw = Number(tensor.data[at]);
    const value = half ? halfValue(raw) : raw;
    // A comparison with NaN is false: it is outside every range.
    if (value >= least && value <= most && (finite !== true || Number.isFinite(value))) continue;
    const why = Number.isFinite(value)
      ? `outside ${least} to ${most}`
      : "and the model takes finite values in its range only";
    return `'${name}' has ${value} at element ${at}, ${why}.`;
  }
  return undefined;
}

/** IEEE 754 half precision. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
