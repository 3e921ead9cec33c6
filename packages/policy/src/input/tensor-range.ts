import type { Tensor, TensorSpec } from "@ledge/contract";
import { elementReader } from "./elements.ts";

/**
 * What is wrong with a tensor's values by what its model declares: NaN or an infinity, or a value outside the range; a
 * sentence for the caller. `undefined` when nothing is.
 */
export function valueFault(tensor: Tensor, { name, range, finite }: TensorSpec): string | undefined {
  if ((range === undefined && finite !== true) || tensor.datatype === "BYTES" || tensor.datatype === "BOOL")
    return undefined;
  const [least, most] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const element = elementReader(tensor);
  for (let at = 0; at < tensor.data.length; at++) {
    const value = element(at);
    // A comparison with NaN is false: it is outside every range.
    if (value >= least && value <= most && (finite !== true || Number.isFinite(value))) continue;
    const why = Number.isFinite(value)
      ? `outside ${least} to ${most}`
      : "and the model takes finite values in its range only";
    return `'${name}' has ${value} at element ${at}, ${why}.`;
  }
  return undefined;
}
