import type { LabelPrediction, SoftmaxLabels } from "@ledge/contract";
import type { Asked } from "./shaper.ts";
import { softmax, topIndices } from "./top-labels.ts";

/**
 * One row of logits as the contract's prediction.
 *
 * `top` ranks by logit, since the far tail of a softmax is all zero. Where the model has an out-of-scope rule and its best
 * score lies below the bound, `label` is the rule's and `score` that label's own probability; `top` stays as it is.
 *
 * @param logits `[classes]`
 * @param labels one per class
 */
export function toPrediction(
  logits: Float32Array,
  labels: readonly string[],
  outOfScope: SoftmaxLabels["outOfScope"],
  asked: Asked,
): LabelPrediction {
  const scoreOf = softmax(logits);
  const top: LabelPrediction["top"][number][] = [];
  for (const index of topIndices(logits, Math.max(1, asked.topK))) {
    top.push({ label: labels[index] ?? String(index), score: scoreOf(index) });
  }
  const best = top[0] ?? { label: "", score: 0 };
  const isOutside = outOfScope !== undefined && best.score < outOfScope.below;
  return {
    label: isOutside ? outOfScope.label : best.label,
    score: isOutside ? scoreOf(labels.indexOf(outOfScope.label)) : best.score,
    top,
    ...(asked.logits ? { logits: Array.from(logits) } : {}),
  };
}
