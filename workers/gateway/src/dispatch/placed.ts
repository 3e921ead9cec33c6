import { fail, ok, type Result, type Tier } from "@ledge/contract";
import { mayTryNextTier, type PacePrior, place } from "@ledge/policy";
import type { DeployedModel, Trail } from "../exchange.ts";
import type { Journey, Placed } from "./ports.ts";

/** What of a call decides where it goes. */
export interface Placing extends Placed {
  readonly model: DeployedModel;
  /** Units of work: rows, and of a text each sixteen tokens or so. */
  readonly work: number;
  readonly journey: Journey;
  readonly trail: Trail;
}

/** Assumed until calls have shown it: a call over the network, and native code against WASM (0.02 and 0.08 ms, docs/benchmarks.md). */
const originCallMs = 30;
const originSpeedup = 4;

/**
 * Asks the model's tiers, the best placed first, until one answers. The fault of the last one is the answer's; what the others
 * said goes to the log.
 */
export async function placed<T>(
  placing: Placing,
  ask: (tier: Tier) => Promise<Result<T>>,
): Promise<Result<{ readonly answer: T; readonly tier: Tier }>> {
  const { model, work, trail, paces } = placing;
  const { order, reason } = orderOf(placing);
  if (reason !== undefined) trail.placed = reason;
  let last: Result<never> = fail("model_not_ready");
  for (const tier of order) {
    const end = paces.begin(model.digest, tier, work);
    const answer = await ask(tier);
    end(answer.ok ? undefined : answer.fault);
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

function orderOf({ model, work, journey, paces, nowMs }: Placing) {
  const { manifest, digest } = model;
  // As it was measured in workerd, where it was.
  const workMs = manifest.measured?.runMs["1"] ?? 1;
  const facts = (tier: Tier, prior: PacePrior) => paces.facts(digest, tier, prior, work);
  return place({
    tiers: manifest.tiers,
    edge: facts("edge", { callMs: 1, workMs }),
    origin: facts("origin", { callMs: originCallMs, workMs: workMs / originSpeedup }),
    remainingMs: journey.deadlineMs - nowMs(),
    ...(journey.share && { weight: journey.share.weight }),
  });
}
