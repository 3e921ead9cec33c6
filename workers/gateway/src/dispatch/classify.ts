import type { PredictInput, Result, Tier } from "@ledge/contract";
import type { Classification, ClassifyCall, DeployedModel, Trail } from "../exchange.ts";
import { placed } from "./placed.ts";
import type { Classifier, Journey, Placed } from "./ports.ts";

/** Asks a model through its own steps. */
export function classify(
  tiers: Readonly<Record<Tier, Classifier>> & Placed,
  model: DeployedModel,
  { inputs, topK, logits }: ClassifyCall,
  journey: Journey,
  trail: Trail,
): Promise<Result<Classification>> {
  const { name, version, digest } = model;
  const asked = { model: name, version, digest, inputs: [...inputs], topK, logits };
  const work = inputs.reduce((sum, input) => sum + workOfInput(input), 0);
  return placed({ model, work, journey, trail, ...tiers }, (tier) => tiers[tier].predict(asked, journey));
}

/** A token is about four bytes of English. */
function workOfInput(input: PredictInput): number {
  return typeof input === "string" ? Math.ceil((input.length + 1) / 64) : 1;
}
