import { fail, ok, type Result, type Tensors } from "@ledge/contract";
import type { PreparedRow } from "../prepare/preparer.ts";
import { floatsOf } from "./floats.ts";
import type { OutputRow, Shaper } from "./shaper.ts";

/**
 * Takes the rows of the output that a step reads apart. The rows are views into the output's data. Where the output has one
 * vector a token, a row keeps those of its own tokens.
 *
 * Faults: `upstream_failed` when the output is missing, has another shape, or holds NaN or infinity, which no JSON
 * could carry and no label may be chosen by.
 *
 * @param length tokens in a row of the run, padding included; undefined where nothing was padded
 */
export function splitRows(
  outputs: Tensors,
  { output, rowShape }: Shaper,
  rows: readonly PreparedRow[],
  length: number | undefined,
): Result<OutputRow[]> {
  const tensor = outputs[output];
  const values = floatsOf(tensor);
  if (tensor === undefined || values === undefined) {
    return fail("upstream_failed", { cause: `The engine gave no floats named ${output}.` });
  }
  const [batch = 0, ...given] = tensor.shape;
  const shape = fitted(given, rowShape);
  const size = product(given);
  if (shape === undefined || batch < rows.length || values.length !== batch * size) {
    const expected = [rows.length, ...rowShape].join(", ");
    return fail("upstream_failed", {
      cause: `The engine gave ${output} of shape [${tensor.shape.join(", ")}], not [${expected}].`,
    });
  }
  if (!allFinite(values)) {
    return fail("upstream_failed", { cause: `The engine gave numbers in ${output} that are not finite.` });
  }
  const perToken = rowShape[0] === -1 && shape.length > 1 && shape[0] === length;
  return ok(
    rows.map(({ tokens }, at) => {
      const own = perToken ? [tokens, ...shape.slice(1)] : shape;
      const data = values.subarray(at * size, at * size + product(own));
      return { tokens, tensors: { [output]: { datatype: "FP32", shape: own, data } } };
    }),
  );
}

function allFinite(values: Float32Array): boolean {
  // The difference is NaN for NaN and for both infinities; several times as fast as `every(Number.isFinite)`.
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    if (value - value !== 0) return false;
  }
  return true;
}

/** The shape of a row where it is the one expected, but for dimensions of 1 that some graphs leave; else undefined. */
function fitted(given: readonly number[], expected: readonly number[]): readonly number[] | undefined {
  const same =
    given.length === expected.length && given.every((size, at) => expected[at] === -1 || expected[at] === size);
  if (same) return given;
  const dense = given.filter((size) => size !== 1);
  return dense.length === 1 && expected.length === 1 && dense[0] === expected[0] ? expected : undefined;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
