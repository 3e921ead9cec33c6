import { type InferAnswer, type InferCall, ok, type Result, type Tier } from "@ledge/contract";
import type { DeployedModel, Inference, TensorsCall, Trail } from "../exchange.ts";
import { placed } from "./placed.ts";
import type { Journey, Placed, TensorEngine } from "./ports.ts";

/** Asks a model's graph. */
export async function infer(
  tiers: Readonly<Record<Tier, TensorEngine>> & Placed,
  model: DeployedModel,
  { inputs, outputs }: TensorsCall,
  journey: Journey,
  trail: Trail,
): Promise<Result<Inference & Pick<InferAnswer, "timings">>> {
  const { name, version, digest } = model;
  const asked: InferCall = { model: name, version, digest, inputs, ...(outputs === undefined ? {} : { outputs }) };
  const work = rowsOf(inputs, model);
  const given = await placed({ model, work, journey, trail, ...tiers }, (tier) => tiers[tier].infer(asked, journey));
  return given.ok ? ok({ ...given.value.answer, tier: given.value.tier }) : given;
}

/** Rows of a call of a graph: 1 where the graph has no batch. */
export function rowsOf(inputs: TensorsCall["inputs"], { manifest }: DeployedModel): number {
  const [first] = manifest.inputs;
  return first?.shape[0] === -1 ? (inputs[first.name]?.shape[0] ?? 1) : 1;
}
