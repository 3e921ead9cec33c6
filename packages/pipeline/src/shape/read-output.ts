import { fail, ok, type Result, type TensorSpec } from "@ledge/contract";
import { floatTypes } from "./floats.ts";
import type { OutputRow } from "./shaper.ts";

/** The output that a step reads: the one it names, else the graph's first. Fault: `model_not_ready`. */
export function readOutput(outputs: readonly TensorSpec[], named: string | undefined): Result<TensorSpec> {
  const output = named === undefined ? outputs[0] : outputs.find(({ name }) => name === named);
  if (output === undefined) {
    return fail("model_not_ready", { cause: `postprocess: the graph has no output ${named ?? "at all"}` });
  }
  if (floatTypes.includes(output.datatype)) return ok(output);
  return fail("model_not_ready", { cause: `postprocess: ${output.name} is ${output.datatype}, and steps read floats` });
}

/** The values of a row, as they lie. Rows come from {@link splitRows}, which gives nothing but single floats. */
export function valuesOf({ tensors }: OutputRow, output: string): Float32Array {
  const tensor = tensors[output];
  if (tensor?.datatype === "FP32") return tensor.data;
  throw new Error(`A row to shape holds no ${output}.`);
}
