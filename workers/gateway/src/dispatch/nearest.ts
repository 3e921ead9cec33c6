import { fail, ok, type Result, type Tier } from "@ledge/contract";
import { mayTryNextTier, tiersInOrder } from "@ledge/policy";
import type { DeployedModel, Trail } from "../exchange.ts";

/**
 * Asks the model's tiers, nearest first, until one answers. The fault of the last one is the answer's; what the nearer
 * ones said goes to the log.
 */
export async function nearestFirst<T>(
  model: DeployedModel,
  trail: Trail,
  ask: (tier: Tier) => Promise<Result<T>>,
): Promise<Result<{ readonly answer: T; readonly tier: Tier }>> {
  let last: Result<never> = fail("model_not_ready");
  for (const tier of tiersInOrder(model.manifest.tiers)) {
    const answer = await ask(tier);
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
