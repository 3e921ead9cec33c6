import type { Result, Tier } from "@ledge/contract";
import type { Classification, ClassifyCall, DeployedModel, Trail } from "../exchange.ts";
import { nearestFirst } from "./nearest.ts";
import type { Classifier, Journey } from "./ports.ts";

/** Asks a model through its own steps. */
export function classify(
  tiers: Readonly<Record<Tier, Classifier>>,
  model: DeployedModel,
  { inputs, topK, logits }: ClassifyCall,
  journey: Journey,
  trail: Trail,
): Promise<Result<Classification>> {
  const { name, version, digest } = model;
  const asked = { model: name, version, digest, inputs: [...inputs], topK, logits };
  return nearestFirst(model, trail, (tier) => tiers[tier].predict(asked, journey));
}
