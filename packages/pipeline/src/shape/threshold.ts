import { ok, type Result, type TensorSpec, thresholdStep } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { readLabels } from "./read-labels.ts";
import { readOutput, valuesOf } from "./read-output.ts";
import type { Shaper } from "./shaper.ts";
import { topIndices } from "./top-labels.ts";

/**
 * Several labels at once: every class whose sigmoid reaches the bound, best first, at most as many as the caller asks for.
 * `label` is the best class, whether it reaches the bound or not; `top` is empty when none does.
 */
export function thresholdShaper(
  step: unknown,
  outputs: readonly TensorSpec[],
  files: ReadonlyMap<string, Uint8Array>,
): Result<Shaper> {
  const spec = readStep("postprocess", thresholdStep, step);
  if (!spec.ok) return spec;
  const output = readOutput(outputs, spec.value.output);
  if (!output.ok) return output;
  const labels = readLabels(files, spec.value.labels, output.value);
  if (!labels.ok) return labels;
  const { name } = output.value;
  return ok({
    gives: "labels",
    output: name,
    rowShape: [labels.value.length],
    shape: (row, asked) => {
      const logits = valuesOf(row, name);
      const ranked = Array.from(topIndices(logits, Math.max(1, asked.topK)), (index) => ({
        label: labels.value[index] ?? String(index),
        score: sigmoid(logits[index] ?? 0),
      }));
      const { label, score } = ranked[0] ?? { label: "", score: 0 };
      const top = ranked.filter((each) => each.score >= spec.value.at);
      return { label, score, top, ...(asked.logits ? { logits: Array.from(logits) } : {}) };
    },
  });
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
