import { fail, ok, type Result, type TensorSpec } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { featureHashing } from "./feature-hashing.schema.ts";
import { featureHasher } from "./feature-hashing.ts";
import { idTensor } from "./id-tensor.ts";
import type { Preparer } from "./preparer.ts";

/** Makes the step that `preprocess` names. Fault: `model_not_ready`, whose cause says what does not fit. */
export function choosePreparer(
  step: { readonly kind: string },
  inputs: readonly TensorSpec[],
  _files: ReadonlyMap<string, Uint8Array>,
): Result<Preparer> {
  switch (step.kind) {
    case "feature-hashing":
      return hashingPreparer(step, inputs);
    default:
      return fail("model_not_ready", { cause: `preprocess: the kind '${step.kind}' is unknown` });
  }
}

/** The graph has one input, of ids. */
function hashingPreparer(step: unknown, inputs: readonly TensorSpec[]): Result<Preparer> {
  const spec = readStep("preprocess", featureHashing, step);
  if (!spec.ok) return spec;
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    return fail("model_not_ready", { cause: "preprocess: feature-hashing feeds a graph with one input" });
  }
  const { name, datatype } = input;
  if (datatype !== "INT32" && datatype !== "INT64") {
    return fail("model_not_ready", { cause: `preprocess: ${name} is ${datatype}, and ids are INT32 or INT64` });
  }
  const hash = featureHasher(spec.value);
  return ok({
    takes: "text",
    padding: { [name]: spec.value.padId },
    prepare: (text) => {
      if (typeof text !== "string") return fail("invalid_shape", { detail: "This model takes texts." });
      const ids = hash(text);
      return ok({ tokens: ids.length, tensors: { [name]: idTensor(ids, datatype) } });
    },
  });
}
