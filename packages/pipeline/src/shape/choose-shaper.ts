import { fail, ok, type Result, softmaxLabels, type TensorSpec } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { readLabels } from "./read-labels.ts";
import type { Shaper } from "./shaper.ts";
import { toPrediction } from "./to-prediction.ts";

/** Makes the step that `postprocess` names. Fault: `model_not_ready`, whose cause says what does not fit. */
export function chooseShaper(
  step: { readonly kind: string },
  outputs: readonly TensorSpec[],
  files: ReadonlyMap<string, Uint8Array>,
): Result<Shaper> {
  switch (step.kind) {
    case "softmax-labels":
      return softmaxShaper(step, outputs, files);
    default:
      return fail("model_not_ready", { cause: `postprocess: the kind '${step.kind}' is unknown` });
  }
}

function softmaxShaper(
  step: unknown,
  outputs: readonly TensorSpec[],
  files: ReadonlyMap<string, Uint8Array>,
): Result<Shaper> {
  const spec = readStep("postprocess", softmaxLabels, step);
  if (!spec.ok) return spec;
  const { outOfScope } = spec.value;
  const output = readOutput(outputs, spec.value.output);
  if (!output.ok) return output;
  const labels = readLabels(files, spec.value.labels, output.value);
  if (!labels.ok) return labels;
  if (outOfScope !== undefined && !labels.value.includes(outOfScope.label)) {
    return fail("model_not_ready", {
      cause: `postprocess: no label is named '${outOfScope.label}', as outOfScope says`,
    });
  }
  const { name } = output.value;
  return ok({
    gives: "labels",
    output: name,
    rowShape: [labels.value.length],
    shape: (row, asked) => toPrediction(valuesOf(row.tensors[name]?.data), labels.value, outOfScope, asked),
  });
}

function readOutput(outputs: readonly TensorSpec[], named: string | undefined): Result<TensorSpec> {
  const output = named === undefined ? outputs[0] : outputs.find(({ name }) => name === named);
  if (output === undefined) {
    return fail("model_not_ready", { cause: `postprocess: the graph has no output ${named ?? "at all"}` });
  }
  if (output.datatype === "FP32") return ok(output);
  return fail("model_not_ready", { cause: `postprocess: ${output.name} is ${output.datatype}, and steps read FP32` });
}

/** Rows come from {@link splitRows}, which gives nothing else. */
function valuesOf(data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new Error("A row to shape holds no floats.");
}
