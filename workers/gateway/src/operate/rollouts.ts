import {
  fail,
  ok,
  parse,
  type RegisteredModel,
  type RegistryChange,
  type Result,
  type Rollout,
  type RolloutReport,
  startRolloutRequest,
} from "@ledge/contract";
import { learnSlowMs, planRollout, reportRollout } from "@ledge/policy";
import { type ModelDesk, made, modelOf, showModel } from "./models.ts";
import type { RolloutCounter } from "./ports.ts";
import { reach } from "./reach.ts";

/** The operator's desk for rollouts: the registry's to run, the counter's to judge. */
export interface RolloutDesk {
  readonly models: ModelDesk;
  readonly counter: RolloutCounter;
  /** A new rollout's id: random, as it is the salt of the split. */
  readonly newId: () => string;
  readonly nowMs: () => number;
}

/** Errors: `invalid_request`, `model_not_found`, `version_not_found`, `rollout_running`, `registry_conflict`, `registry_unavailable`. */
export async function startRollout(name: string, body: unknown, desk: RolloutDesk): Promise<Result<RolloutReport>> {
  const request = parse(startRolloutRequest, body);
  if (!request.ok) return request;
  const model = await showModel(name, desk.models);
  if (!model.ok) return model;
  const { stable } = model.value;
  const slowMs = await usualSlowMs(name, stable, desk.counter);
  const context = { id: desk.newId(), stable, nowMs: desk.nowMs(), ...(slowMs === undefined ? {} : { slowMs }) };
  const rollout = planRollout(request.value, context);
  if (!rollout.ok) return rollout;
  const started = await changeModel(desk, { kind: "start-rollout", model: name, rollout: rollout.value });
  return started.ok ? ok(reportRollout(name, rollout.value, { arms: {} }, context.nowMs)) : started;
}

/** How the running rollout is doing. Errors: `model_not_found`, `rollout_not_found`, `registry_unavailable`, `counter_unavailable`. */
export async function showRollout(name: string, desk: RolloutDesk): Promise<Result<RolloutReport>> {
  const rollout = await runningRollout(name, desk);
  if (!rollout.ok) return rollout;
  const counted = await reach(() => desk.counter.readRollout(name, rollout.value.id), "counter_unavailable");
  return counted.ok ? ok(reportRollout(name, rollout.value, counted.value, desk.nowMs())) : counted;
}

/** Ends the running rollout by hand. Errors: `model_not_found`, `rollout_not_found`, `registry_conflict`, `registry_unavailable`. */
export async function endRollout(
  name: string,
  outcome: Extract<RegistryChange, { kind: "end-rollout" }>["outcome"],
  desk: RolloutDesk,
): Promise<Result<RegisteredModel>> {
  const rollout = await runningRollout(name, desk);
  if (!rollout.ok) return rollout;
  const { id } = rollout.value;
  return await changeModel(desk, { kind: "end-rollout", model: name, id, outcome, reason: "asked for" });
}

async function runningRollout(name: string, { models }: RolloutDesk): Promise<Result<Rollout>> {
  const model = await showModel(name, models);
  if (!model.ok) return model;
  const { rollout } = model.value;
  const detail = `No rollout of '${name}' is running; the audit says how the last one ended.`;
  return rollout === undefined ? fail("rollout_not_found", { detail }) : ok(rollout);
}

async function changeModel(
  { models }: RolloutDesk,
  change: Extract<RegistryChange, { kind: "start-rollout" | "end-rollout" }>,
): Promise<Result<RegisteredModel>> {
  const done = await made(models, change);
  return done.ok ? modelOf(done.value.snapshot, change.model) : done;
}

/** A counter that cannot be reached keeps no rollout from starting: what is slow is learned once it runs. */
async function usualSlowMs(name: string, stable: string, counter: RolloutCounter): Promise<number | undefined> {
  const usual = await reach(() => counter.readUsual(name, stable), "counter_unavailable");
  return usual.ok && usual.value !== undefined ? learnSlowMs(usual.value) : undefined;
}
