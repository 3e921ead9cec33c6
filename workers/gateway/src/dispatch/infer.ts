import { type InferAnswer, type InferCall, ok, type Result, type Tier } from "@ledge/contract";
import type { DeployedModel, Inference, TensorsCall, Trail } from "../exchange.ts";
import { nearestFirst } from "./nearest.ts";
import type { Journey, TensorEngine } from "./ports.ts";

/** Asks a model's graph. */
export async function infer(
  tiers: Readonly<Record<Tier, TensorEngine>>,
  model: DeployedModel,
  { inputs, outputs }: TensorsCall,
  journey: Journey,
  trail: Trail,
): Promise<Result<Inference & Pick<InferAnswer, "timings">>> {
  const { name, version, digest } = model;
  const asked: InferCall = { model: name, version, digest, inputs, ...(outputs === undefined ? {} : { outputs }) };
  const given = await nearestFirst(model, trail, (tier) => tiers[tier].infer(asked, journey));
  return given.ok ? ok({ ...given.value.answer, tier: given.value.tier }) : given;
}
