import { fail, ok, type Result, type Tier } from "@ledge/contract";
import { mayTryNextTier, tiersInOrder } from "@ledge/policy";
import type { Classification, ClassifyCall, DeployedModel, Trail } from "../exchange.ts";
import type { Classifier, Journey } from "./ports.ts";

/**
 * Asks the model's tiers, nearest first, until one answers. The fault of the last one is the answer's; what the nearer
 * ones said goes to the log.
 */
export async function classify(
  tiers: Readonly<Record<Tier, Classifier>>,
  model: DeployedModel,
  call: ClassifyCall,
  journey: Journey,
  trail: Trail,
): Promise<Result<Classification>> {
  const { inputs, topK, logits } = call;
  let last: Result<never> = fail("model_not_ready");
  for (const tier of tiersInOrder(model.manifest.tiers)) {
    const asked = {
      model: model.name,
      version: model.version,
      digest: model.digest,
      inputs: [...inputs],
      topK,
      logits,
    };
    const answer = await tiers[tier].predict(asked, journey);
    if (answer.ok) {
      trail.tier = tier;
      return ok({ answer: answer.value, tier });
    }
    trail.cause = [trail.cause, `${tier}: ${answer.fault.code} ${answer.fault.cause ?? ""}`.trim()]
      .filter(Boolean)
      .join("; ");
    last = answer;
    if (!mayTryNextTier(answer.fault)) break;
  }
  return last;
}
