import { fail, ok, type RegisteredModel, type RegistryChange, type Result, type Rollout } from "@ledge/contract";
import type { ModelStep } from "./step.ts";
import { readyVersionOf } from "./versions.ts";

const wholeWeight = 10_000;

export function startRollout(model: RegisteredModel, rollout: Rollout): Result<ModelStep> {
  if (model.rollout !== undefined) {
    return fail("rollout_running", { detail: `The ${model.rollout.kind} '${model.rollout.id}' is running.` });
  }
  for (const { version } of rollout.arms) {
    const arm = readyVersionOf(model, version);
    if (!arm.ok) return arm;
  }
  const wrong = whatIsWrong(model, rollout);
  if (wrong !== undefined) return fail("registry_conflict", { detail: wrong });
  return ok({ model: { ...model, rollout }, from: null, to: rollout });
}

function whatIsWrong({ name, stable }: RegisteredModel, rollout: Rollout): string | undefined {
  const { kind, arms } = rollout;
  if (new Set(arms.map(({ version }) => version)).size < arms.length) return "Each arm needs a version of its own.";
  if (kind !== "experiment" && arms[0].version !== stable)
    return `'${name}' is stable at ${stable}: that is the first arm.`;
  const sum = arms.reduce((total, { weight }) => total + weight, 0);
  if (kind !== "shadow" && sum !== wholeWeight) return `The weights add up to ${sum / 100} %, not to 100 %.`;
  if (kind !== "canary") return undefined;
  const { steps, step } = rollout;
  const growing = steps.every((weight, i) => weight > (steps[i - 1] ?? 0)) && steps.at(-1) === wholeWeight;
  if (!growing) return "A canary's steps grow, up to 100 %.";
  return step === 0 && arms[1].weight === steps[0] ? undefined : "A canary starts with its first step.";
}

/** One step on, no more: a controller that judged an older step is told so. */
export function advanceRollout(
  model: RegisteredModel,
  change: Extract<RegistryChange, { kind: "advance-rollout" }>,
  nowMs: number,
): Result<ModelStep> {
  const running = runningRollout(model, change.id);
  if (!running.ok) return running;
  const rollout = running.value;
  if (rollout.kind !== "canary") {
    return fail("registry_conflict", { detail: `A ${rollout.kind} has no steps: end it and start another.` });
  }
  const weight = rollout.steps[change.step];
  if (weight === undefined || change.step !== rollout.step + 1) {
    return fail("registry_conflict", {
      detail: `The canary is at step ${rollout.step} of ${rollout.steps.length - 1}, step ${change.step} is not the next.`,
    });
  }
  const [stable, candidate] = rollout.arms;
  const arms: typeof rollout.arms = [
    { ...stable, weight: wholeWeight - weight },
    { ...candidate, weight },
  ];
  return ok({
    model: { ...model, rollout: { ...rollout, step: change.step, stepStartedAtMs: nowMs, arms } },
    from: { id: rollout.id, step: rollout.step, weight: candidate.weight },
    to: { id: rollout.id, step: change.step, weight },
    reason: change.reason,
  });
}

/** Promoting makes the one arm that is not stable the stable version; any other end leaves stable as it is. */
export function endRollout(
  model: RegisteredModel,
  change: Extract<RegistryChange, { kind: "end-rollout" }>,
): Result<ModelStep> {
  const running = runningRollout(model, change.id);
  if (!running.ok) return running;
  const { id, kind, arms } = running.value;
  const { rollout: _ended, ...rest } = model;
  const others = arms.filter(({ version }) => version !== model.stable);
  const [winner] = others;
  if (change.outcome === "promoted" && (winner === undefined || others.length > 1)) {
    return fail("registry_conflict", {
      detail: `Which of ${others.length} arms is promoted is not clear: stop the ${kind} and make a version stable.`,
    });
  }
  const promoted = change.outcome === "promoted" ? winner : undefined;
  const moved = promoted === undefined ? {} : { stable: promoted.version, previousStable: model.stable };
  return ok({
    model: { ...rest, ...moved },
    from: { id, kind, arms, stable: model.stable },
    to: { outcome: change.outcome, stable: promoted?.version ?? model.stable },
    reason: change.reason,
  });
}

function runningRollout({ name, rollout }: RegisteredModel, id: string): Result<Rollout> {
  return rollout?.id === id ? ok(rollout) : fail("rollout_not_found", { detail: `'${name}' has no rollout '${id}'.` });
}
