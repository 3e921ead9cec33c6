import { fail, type Result, type TensorSpec } from "@ledge/contract";
import { embeddingShaper } from "./embedding.ts";
import type { Shaper } from "./shaper.ts";
import { softmaxShaper } from "./softmax-labels.ts";
import { thresholdShaper } from "./threshold.ts";
import { topKShaper } from "./top-k.ts";

/** Makes the step that `postprocess` names. Fault: `model_not_ready`, whose cause says what does not fit. */
export function chooseShaper(
  step: { readonly kind: string },
  outputs: readonly TensorSpec[],
  files: ReadonlyMap<string, Uint8Array>,
): Result<Shaper> {
  switch (step.kind) {
    case "softmax-labels":
      return softmaxShaper(step, outputs, files);
    case "top-k":
      return topKShaper(step, outputs, files);
    case "threshold":
      return thresholdShaper(step, outputs, files);
    case "embedding":
      return embeddingShaper(step, outputs);
    default:
      return fail("model_not_ready", { cause: `postprocess: the kind '${step.kind}' is unknown` });
  }
}
