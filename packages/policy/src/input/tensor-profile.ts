import type { Tensor, TensorProfile, TensorSpec } from "@ledge/contract";
import { elementReader, type NumberTensor } from "./elements.ts";
import { quantile } from "./quantile.ts";

/**
 * How far the numbers of a tensor are from those a model was made with: each in standard deviations of its place in the
 * model's reference profile. It tells other units, scales and sensors and places that were never filled; it does not see
 * usual numbers that never come together.
 */

/** Standard deviations of one number at most, NaN and infinities among them: squares and sums stay far from a double's end. */
export const deviationsMax = 1e6;

/**
 * Root mean square of a row's distances, in standard deviations, of the row where it is greatest: about 1 for what is usual,
 * {@link deviationsMax} at most, 0 for no numbers. Rows are along the first dimension where `shape` of the model says −1, else the tensor is one.
 */
export function tensorDistance(
  tensor: Tensor,
  spec: Pick<TensorSpec, "shape">,
  profile: Pick<TensorProfile, "features">,
): number {
  if (tensor.datatype === "BYTES") return 0;
  return distancesOf(tensor, spec, profile).reduce((most, distance) => Math.max(most, distance), 0);
}

function distancesOf(
  tensor: NumberTensor,
  { shape }: Pick<TensorSpec, "shape">,
  { features }: Pick<TensorProfile, "features">,
): readonly number[] {
  const element = elementReader(tensor);
  const { length } = tensor.data;
  const rowLength = length / rowsOf(tensor, shape);
  const distances: number[] = [];
  for (let from = 0; from < length; from += rowLength) {
    let squares = 0;
    for (let at = from; at < from + rowLength; at++) {
      const [mean = 0, sd = 1] = features[at % features.length] ?? [];
      const deviations = Math.abs(element(at) - mean) / sd;
      // A comparison with NaN is false.
      squares += deviations < deviationsMax ? deviations ** 2 : deviationsMax ** 2;
    }
    distances.push(Math.sqrt(squares / rowLength));
  }
  return distances;
}

function rowsOf(tensor: Tensor, shape: readonly number[]): number {
  return shape[0] === -1 ? Math.max(1, tensor.shape[0] ?? 1) : 1;
}

/**
 * A profile of reference rows, with the distance that a share of them (default 1 %) exceeds as its threshold.
 *
 * @param reference `[rows, …]` of numbers
 * @param apart whether each place of the last axis has a mean of its own; else there is one for all numbers
 */
export function tensorProfileOf(reference: NumberTensor, apart: boolean, exceededBy = 0.01): TensorProfile {
  const element = elementReader(reference);
  const width = apart ? (reference.shape.at(-1) ?? 1) : 1;
  const count = reference.data.length / width;
  const features = Array.from({ length: width }, (_, place) => {
    let sum = 0;
    for (let at = place; at < reference.data.length; at += width) sum += element(at);
    const mean = sum / count;
    let squares = 0;
    for (let at = place; at < reference.data.length; at += width) squares += (element(at) - mean) ** 2;
    return spreadOf(mean, Math.sqrt(squares / count));
  });
  const distances = distancesOf(reference, { shape: [-1] }, { features });
  return { features, threshold: Number(quantile(distances, 1 - exceededBy).toPrecision(4)) };
}

/** To four digits of the standard deviation: what a mean has beyond is noise, and weighs. */
function spreadOf(mean: number, sd: number): [mean: number, sd: number] {
  // Of a place that never varied, a hundredth of its value counts as one standard deviation.
  const never = sd <= Math.abs(mean) * 1e-9;
  const spread = Number((never ? Math.max(Math.abs(mean) / 100, 1e-6) : sd).toPrecision(4));
  const digits = Math.min(100, Math.max(0, 4 - Math.floor(Math.log10(spread))));
  return [Number(mean.toFixed(digits)), spread];
}
