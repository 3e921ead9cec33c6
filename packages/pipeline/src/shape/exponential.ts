/** e^x is 2^(-step / 64) times what is left: e to at most half a step, for which a short series is enough. */
const stepsPerE = 64 / Math.LN2;
const stepSize = Math.LN2 / 64;
const wholeSteps = Float64Array.from({ length: 64 }, (_, whole) => 2 ** -whole);
const partSteps = Float64Array.from({ length: 64 }, (_, part) => 2 ** (-part / 64));

/**
 * The sum of e^(value − highest): what a softmax divides by, in a third of the time that `Math.exp` takes for it. Exact to
 * 10^-13 of itself. A value more than 44 below the highest adds nothing: beside 1 nothing would be left of it in a double.
 *
 * @param highest the largest of the values
 */
export function sumOfExponentials(values: Float32Array, highest: number): number {
  // In locals: a bundle makes variables of a module's constants, and they would be looked up for every value.
  const wholes = wholeSteps;
  const parts = partSteps;
  let sum = 0;
  for (let at = 0; at < values.length; at++) {
    const x = (values[at] ?? highest) - highest;
    if (x < -44) continue;
    const step = (0.5 - x * stepsPerE) | 0;
    const rest = x + step * stepSize;
    const square = rest * rest;
    const series = 1 + rest + square * (1 / 2 + rest * (1 / 6) + square * (1 / 24));
    sum += series * (parts[step & 63] ?? 0) * (wholes[step >> 6] ?? 0);
  }
  return sum;
}
