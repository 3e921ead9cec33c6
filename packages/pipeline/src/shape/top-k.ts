import { fail, ok, type Result, type TensorSpec, topKStep } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { readLabels } from "./read-labels.ts";
import { readOutput, valuesOf } from "./read-output.ts";
import type { Shaper } from "./shaper.ts";
import { topIndices } from "./top-labels.ts";

/**
 * The largest scores as the graph gives them, at most `k` and at most as many as the caller asks for. Without labels a class is
 * named by its number.
 */
export function topKShaper(
  step: unknown,
  outputs: readonly TensorSpec[],
  files: ReadonlyMap<string, Uint8Array>,
): Result<Shaper> {
  const spec = readStep("postprocess", topKStep, step);
  if (!spec.ok) return spec;
  const output = readOutput(outputs, spec.value.output);
  if (!output.ok) return output;
  const { name, shape } = output.value;
  const labels = spec.value.labels === undefined ? ok([]) : readLabels(files, spec.value.labels, output.value);
  if (!labels.ok) return labels;
  const classes = spec.value.labels === undefined ? (shape.at(-1) ?? -1) : labels.value.length;
  if (shape.length < 2 || classes === 0) {
    return fail("model_not_ready", { cause: `postprocess: ${name} of shape [${shape.join(", ")}] holds no scores` });
  }
  return ok({
    gives: "labels",
    output: name,
    rowShape: [classes],
    shape: (row, asked) => {
      const scores = valuesOf(row, name);
      const top = Array.from(topIndices(scores, Math.min(spec.value.k, Math.max(1, asked.topK))), (index) => ({
        label: labels.value[index] ?? String(index),
        score: scores[index] ?? 0,
      }));
      const { label, score } = top[0] ?? { label: "", score: 0 };
      return { label, score, top, ...(asked.logits ? { logits: Array.from(scores) } : {}) };
    },
  });
}
