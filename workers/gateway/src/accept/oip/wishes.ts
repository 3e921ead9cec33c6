import { fail, type InferOutput, ok, type Result, type TensorSpec } from "@ledge/contract";
import type { InferFrame } from "./frame.ts";

/** How an output is wanted. */
export interface OutputWish {
  readonly name: string;
  /** As binary data behind the JSON. */
  readonly binary: boolean;
  /** The best so many classes in place of the values; 0: the values (classification extension). */
  readonly classes: number;
  /** FP32 as BF16. */
  readonly bf16: boolean;
}

/** The outputs named, in that order, else all; binary where it is asked for, all of them for a raw body. */
export function wishesOf(frame: InferFrame, specs: readonly TensorSpec[]): Result<readonly OutputWish[]> {
  const all = "raw" in frame.body || frame.parameters.binary_data_output === true;
  const named: readonly InferOutput[] = frame.outputs ?? specs.map(({ name }) => ({ name }));
  const wishes: OutputWish[] = [];
  for (const { name, parameters = {} } of named) {
    if (!specs.some((spec) => spec.name === name)) {
      const names = specs.map((spec) => `'${spec.name}'`).join(", ");
      return fail("invalid_shape", { detail: `There is no output '${name}'; the outputs are ${names}.` });
    }
    if (parameters.shared_memory_region !== undefined) {
      return fail("unsupported_extension", { detail: `'${name}': there is no shared memory with this server.` });
    }
    const { binary_data: binary = all, classification: classes = 0, datatype } = parameters;
    if (typeof binary !== "boolean" || typeof classes !== "number" || !Number.isInteger(classes) || classes < 0) {
      const detail = `'${name}': 'binary_data' is true or false, 'classification' a whole number of classes.`;
      return fail("invalid_shape", { detail });
    }
    if (datatype !== undefined && datatype !== "BF16") {
      return fail("invalid_shape", {
        detail: `'${name}': an FP32 output can be asked for as BF16, and as nothing else.`,
      });
    }
    wishes.push({ name, binary, classes, bf16: datatype === "BF16" });
  }
  return ok(wishes);
}
