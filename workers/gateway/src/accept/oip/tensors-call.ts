import { fail, type InferInput, ok, type Result, readTensors, type TensorSpec, type WireTensor } from "@ledge/contract";
import type { DeployedModel, TensorsCall } from "../../exchange.ts";
import type { InferFrame } from "./frame.ts";
import { signatureOf } from "./signature.ts";

/** A call of the graph by its own tensors, all of which must be there and fit. Errors: `invalid_shape`. */
export function tensorsCall(
  frame: InferFrame,
  model: DeployedModel,
  given: readonly WireTensor[],
): Result<TensorsCall> {
  const { inputs: specs } = model.manifest;
  for (const { head } of given) {
    const spec = specs.find(({ name }) => name === head.name);
    const slip = spec === undefined ? `is no input of this model` : misfit(spec, head);
    if (slip !== undefined) return fail("invalid_shape", { detail: `'${head.name}' ${slip}; ${inputsText(model)}` });
  }
  const missing = specs.filter(({ name }) => !given.some(({ head }) => head.name === name));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => `'${name}'`).join(", ");
    return fail("invalid_shape", { detail: `${names} is missing; ${inputsText(model)}` });
  }
  const inputs = readTensors(given);
  if (!inputs.ok) return inputs;
  const outputs = frame.outputs?.map(({ name }) => name);
  return ok({
    task: "tensor",
    model: frame.model,
    inputs: inputs.value,
    ...(outputs === undefined ? {} : { outputs: [...new Set(outputs)].sort() }),
  });
}

/** What is wrong with a tensor's head. BF16 fits where the graph takes FP32. */
function misfit({ datatype, shape }: TensorSpec, head: InferInput): string | undefined {
  const same = head.datatype === datatype || (head.datatype === "BF16" && datatype === "FP32");
  if (!same) return `has the datatype ${datatype}, not ${head.datatype}`;
  const fits = shape.length === head.shape.length && shape.every((want, i) => want === -1 || want === head.shape[i]);
  return fits ? undefined : `has the shape [${shape.join(", ")}], not [${head.shape.join(", ")}]`;
}

function inputsText({ manifest }: DeployedModel): string {
  const served = signatureOf(manifest)?.input;
  const names = manifest.inputs.map(({ name, datatype, shape }) => `'${name}' ${datatype} [${shape.join(", ")}]`);
  return `the graph takes ${names.join(", ")}${served === undefined ? "" : `, and the model '${served}' BYTES [-1]`}.`;
}
