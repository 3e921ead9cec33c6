import { fail, ok, type Result, type Tensors } from "@ledge/contract";

/**
 * Takes the rows of a `[batch, classes]` output apart. The rows are views into the tensor's data.
 *
 * Faults: `upstream_failed` when the output is missing, has another shape, or holds NaN or infinity, which no JSON
 * could carry and no label may be chosen by.
 */
export function readLogits(outputs: Tensors, name: string, rows: number, classes: number): Result<Float32Array[]> {
  const tensor = outputs[name];
  if (tensor === undefined || tensor.datatype !== "FP32") {
    return fail("upstream_failed", { cause: `The engine gave no FP32 output named ${name}.` });
  }
  if (tensor.data.length !== rows * classes || tensor.shape[0] !== rows) {
    return fail("upstream_failed", {
      cause: `The engine gave ${name} of shape [${tensor.shape.join(", ")}], not [${rows}, ${classes}].`,
    });
  }
  if (!tensor.data.every(Number.isFinite)) {
    return fail("upstream_failed", { cause: `The engine gave numbers in ${name} that are not finite.` });
  }
  const parts: Float32Array[] = [];
  for (let row = 0; row < rows; row++) parts.push(tensor.data.subarray(row * classes, (row + 1) * classes));
  return ok(parts);
}
