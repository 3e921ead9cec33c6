import { fail, ok, type Result, softmaxLabels, type TensorSpec } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { readLabels } from "./read-labels.ts";
import { readOutput, valuesOf } from "./read-output.ts";
import type { Shaper } from "./shaper.ts";
import { toPrediction } from "./to-prediction.ts";

/** One of several labels, by a softmax over logits. */
export function softmaxShaper(
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
    shape: (row, asked) => toPrediction(valuesOf(row, name), labels.value, outOfScope, asked),
  });
}
