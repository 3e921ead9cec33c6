import {
  fail,
  type Issue,
  ok,
  type Result,
  type Rollout,
  type RolloutArm,
  type StartRolloutRequest,
} from "@ledge/contract";

/** What a rollout is when the request does not say. Shares of calls, milliseconds; docs/rollouts.md says what they cost and find. */
export const rolloutDefaults = {
  stepsPercent: [1, 5, 25, 100],
  callsMin: 500,
  stepMsMin: 60_000,
  falseAlarm: 0.05,
  unsureBelow: 0.5,
  errorTolerance: 0.01,
  slowTolerance: 0.05,
  unsureTolerance: 0.05,
  dislikedTolerance: 0.05,
} as const;

/** What is known where a rollout is started. */
export interface PlanContext {
  readonly id: string;
  /** The version that answers the bare name now. */
  readonly stable: string;
  readonly nowMs: number;
  /** The stable version's 95th percentile; absent when it answered too few calls to tell. */
  readonly slowMs?: number;
}

/** The rollout that a request asks for. Whether its versions exist is the registry's to say. Errors: `invalid_request`. */
export function planRollout(request: StartRolloutRequest, context: PlanContext): Result<Rollout> {
  switch (request.kind) {
    case "canary":
      return planCanary(request, context);
    case "experiment":
      return planExperiment(request, context);
    case "shadow":
      return planShadow(request, context);
  }
}

type Asked<K extends StartRolloutRequest["kind"]> = Extract<StartRolloutRequest, { kind: K }>;

function planCanary(request: Asked<"canary">, { id, stable, nowMs, slowMs }: PlanContext): Result<Rollout> {
  const percents = request.steps ?? rolloutDefaults.stepsPercent;
  const steps = percents.map(basisPoints);
  const issues = [...sameVersion(request.version, stable), ...stepIssues(percents, steps)];
  if (issues.length > 0) return fail("invalid_request", { issues });
  const first = steps[0] ?? 10_000;
  const bound = request.slow_ms ?? slowMs;
  return ok({
    kind: "canary",
    id,
    startedAtMs: nowMs,
    limits: {
      ...(bound === undefined ? {} : { slowMs: bound }),
      unsureBelow: request.unsure_below ?? rolloutDefaults.unsureBelow,
      errorTolerance: request.tolerance?.error ?? rolloutDefaults.errorTolerance,
      slowTolerance: request.tolerance?.slow ?? rolloutDefaults.slowTolerance,
      unsureTolerance: request.tolerance?.unsure ?? rolloutDefaults.unsureTolerance,
      dislikedTolerance: request.tolerance?.disliked ?? rolloutDefaults.dislikedTolerance,
    },
    steps,
    step: 0,
    stepStartedAtMs: nowMs,
    callsMin: request.calls_min ?? rolloutDefaults.callsMin,
    stepMsMin: request.step_seconds_min === undefined ? rolloutDefaults.stepMsMin : request.step_seconds_min * 1000,
    falseAlarm: request.false_alarm ?? rolloutDefaults.falseAlarm,
    arms: [
      { version: stable, weight: 10_000 - first },
      { version: request.version, weight: first },
    ],
  });
}

function planExperiment(request: Asked<"experiment">, context: PlanContext): Result<Rollout> {
  const arms = Object.entries(request.weights).map(([version, percent]) => ({ version, weight: basisPoints(percent) }));
  const issues: Issue[] = arms.flatMap(({ version, weight }) => wholeIssues(`weights.${version}`, weight));
  const sum = arms.reduce((all, { weight }) => all + weight, 0);
  if (arms.length < 2 || arms.length > 8) issues.push({ path: "weights", message: "two to eight versions" });
  if (sum !== 10_000) issues.push({ path: "weights", message: `they add up to ${sum / 100} per cent, not to 100` });
  if (issues.length > 0) return fail("invalid_request", { issues });
  // The stable version first: it takes what the others leave.
  const ordered = arms.toSorted((a, b) => Number(b.version === context.stable) - Number(a.version === context.stable));
  const asked = { slowMs: request.slow_ms ?? context.slowMs, unsureBelow: request.unsure_below };
  return ok({ kind: "experiment", ...uncontrolled(context, asked), arms: ordered });
}

function planShadow(request: Asked<"shadow">, context: PlanContext): Result<Rollout> {
  const weight = basisPoints(request.percent ?? 100);
  const issues = [...sameVersion(request.version, context.stable), ...wholeIssues("percent", weight)];
  if (issues.length > 0) return fail("invalid_request", { issues });
  const arms: [RolloutArm, RolloutArm] = [
    { version: context.stable, weight: 10_000 },
    { version: request.version, weight },
  ];
  return ok({ kind: "shadow", ...uncontrolled(context, { slowMs: context.slowMs }), arms });
}

/** Reported, not judged: the limits only say what counts as slow and unsure. */
function uncontrolled(
  { id, nowMs }: PlanContext,
  asked: { slowMs?: number | undefined; unsureBelow?: number | undefined },
) {
  const limits = {
    ...(asked.slowMs === undefined ? {} : { slowMs: asked.slowMs }),
    unsureBelow: asked.unsureBelow ?? rolloutDefaults.unsureBelow,
    errorTolerance: 0,
    slowTolerance: 0,
    unsureTolerance: 0,
    dislikedTolerance: 0,
  };
  return { id, startedAtMs: nowMs, limits };
}

/** Hundredths of a per cent; a fraction of one shows that the per cent had more than two decimals. */
function basisPoints(percent: number): number {
  return Math.round(percent * 1e8) / 1e6;
}

function stepIssues(percents: readonly number[], steps: readonly number[]): Issue[] {
  const issues = steps.flatMap((step, at) => wholeIssues(`steps[${at}]`, step));
  const grows = percents.every((percent, at) => at === 0 || percent > (percents[at - 1] ?? 0));
  if (!grows) issues.push({ path: "steps", message: "each must be greater than the one before" });
  if (percents.at(-1) !== 100) issues.push({ path: "steps", message: "the last must be 100" });
  return issues;
}

function wholeIssues(path: string, weight: number): Issue[] {
  return Number.isInteger(weight) ? [] : [{ path, message: "at most two decimals" }];
}

function sameVersion(version: string, stable: string): Issue[] {
  return version === stable ? [{ path: "version", message: `${version} is the stable version already` }] : [];
}
