import { canonicalJson, type PredictAnswer, type Tier } from "@ledge/contract";
import type { Classification, ClassifyCall } from "../exchange.ts";
import type { Form } from "./answers.ts";

/** An answer of a model's own steps as it is kept: without where its time went, which is another thing each time. */
interface LabelsRecord extends Pick<PredictAnswer, "predictions" | "inputTokens"> {
  readonly tier: Tier;
}

const noTimings: PredictAnswer["timings"] = {
  queueMs: 0,
  prepareMs: 0,
  runMs: 0,
  shapeMs: 0,
  batchRows: 0,
  executions: 0,
};

/** What of a call can change its answer. */
export function labelsText({ inputs, topK, logits }: Pick<ClassifyCall, "inputs" | "topK" | "logits">): string {
  return canonicalJson([inputs, topK, logits]);
}

/** Labels, scores and embeddings in the answer cache. */
export const labelsForm: Form<Classification> = {
  record({ answer: { predictions, inputTokens }, tier }): LabelsRecord {
    return { predictions, inputTokens, tier };
  },
  read(kept) {
    const { predictions, inputTokens, tier } = kept as LabelsRecord;
    return { answer: { predictions, inputTokens, timings: noTimings }, tier };
  },
};
