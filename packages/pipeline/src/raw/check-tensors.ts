import { fail, type ModelManifest, ok, type Result, type Tensor, type TensorSpec, type Tensors } from "@ledge/contract";

/**
 * Checks raw tensors against a graph before it sees them: names, datatypes, shapes, and as much data as the shape says.
 * Fault: `invalid_shape`, whose detail names the tensor and what is wrong.
 *
 * @param wanted names of outputs; all when undefined
 */
export function checkTensors(
  { inputs, outputs }: Pick<ModelManifest, "inputs" | "outputs">,
  given: Tensors,
  wanted?: readonly string[],
): Result<void> {
  const wrong =
    inputs.map((spec) => slipOf(spec, given[spec.name])).find((slip) => slip !== undefined) ??
    unknownName(Object.keys(given), inputs, "input") ??
    unknownName(wanted ?? [], outputs, "output");
  return wrong === undefined ? ok(undefined) : fail("invalid_shape", { detail: wrong });
}

function slipOf({ name, datatype, shape }: TensorSpec, tensor: Tensor | undefined): string | undefined {
  if (tensor === undefined) return `The input ${name} is missing.`;
  if (tensor.datatype !== datatype) return `The input ${name} is ${tensor.datatype}; the model takes ${datatype}.`;
  const fits =
    tensor.shape.length === shape.length && shape.every((size, at) => size === -1 || size === tensor.shape[at]);
  if (!fits) return `The input ${name} is [${tensor.shape.join(", ")}]; the model takes [${shape.join(", ")}].`;
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  return elements === tensor.data.length
    ? undefined
    : `The input ${name} has ${tensor.data.length} elements; its shape says ${elements}.`;
}

function unknownName(names: readonly string[], specs: readonly TensorSpec[], what: string): string | undefined {
  const unknown = names.find((name) => !specs.some((spec) => spec.name === name));
  return unknown === undefined ? undefined : `The model has no ${what} ${unknown}.`;
}
