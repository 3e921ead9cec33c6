import { parse, rollout as rolloutSchema, type StartRolloutRequest, startRolloutRequest } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { planRollout } from "./plan.ts";

const context = { id: "r1", stable: "1", nowMs: 1_000 };

function start(request: StartRolloutRequest, more: { slowMs?: number } = {}) {
  const checked = parse(startRolloutRequest, request);
  expect(checked.ok, JSON.stringify(request)).toBe(true);
  return planRollout(request, { ...context, ...more });
}

function issuesOf(request: StartRolloutRequest) {
  const started = start(request);
  return started.ok ? [] : (started.fault.issues ?? []).map(({ path }) => path);
}

describe("a started rollout", () => {
  test.each<StartRolloutRequest>([
    { kind: "canary", version: "2" },
    { kind: "canary", version: "2", steps: [0.01, 33.33, 100], calls_min: 1, step_seconds_min: 0, slow_ms: 5 },
    { kind: "experiment", weights: { "1": 33.33, "2": 33.33, "3": 33.34 } },
    { kind: "shadow", version: "2", percent: 12.5 },
  ])("is one the registry takes, its weights whole and adding up: %o", (request) => {
    const started = start(request);
    if (!started.ok) throw new Error(JSON.stringify(started.fault));
    expect(parse(rolloutSchema, started.value).ok).toBe(true);
    const sum = started.value.arms.reduce((all, { weight }) => all + weight, 0);
    expect(sum).toBe(request.kind === "shadow" ? 11_250 : 10_000);
  });

  test("goes 1, 5, 25, 100 per cent when the request does not say, and begins at the first", () => {
    expect(start({ kind: "canary", version: "2" })).toMatchObject({
      value: { steps: [100, 500, 2_500, 10_000], step: 0, arms: [{ weight: 9_900 }, { weight: 100 }] },
    });
  });

  test("takes slow for what the request says, else for the stable version's 95th percentile, else leaves it open", () => {
    const slowMs = (request: StartRolloutRequest, known?: number) => {
      const started = start(request, known === undefined ? {} : { slowMs: known });
      return started.ok ? started.value.limits.slowMs : "refused";
    };
    expect(slowMs({ kind: "canary", version: "2", slow_ms: 7 }, 9)).toBe(7);
    expect(slowMs({ kind: "canary", version: "2" }, 9)).toBe(9);
    expect(slowMs({ kind: "canary", version: "2" })).toBeUndefined();
  });

  test("has the stable version first in an experiment, so that callers stay with it when weights change", () => {
    const started = planRollout({ kind: "experiment", weights: { "1": 20, "2": 80 } }, { ...context, stable: "2" });
    expect(started).toMatchObject({ value: { arms: [{ version: "2" }, { version: "1" }] } });
  });
});

test.each<[StartRolloutRequest, string[]]>([
  [{ kind: "canary", version: "1" }, ["version"]],
  [{ kind: "shadow", version: "1" }, ["version"]],
  [{ kind: "shadow", version: "2", percent: 0.001 }, ["percent"]],
  [{ kind: "canary", version: "2", steps: [5, 5, 100] }, ["steps"]],
  [{ kind: "canary", version: "2", steps: [50, 20] }, ["steps", "steps"]],
  [{ kind: "canary", version: "2", steps: [1.005, 100] }, ["steps[0]"]],
  [{ kind: "experiment", weights: { "1": 100 } }, ["weights"]],
  [{ kind: "experiment", weights: { "1": 50, "2": 40 } }, ["weights"]],
])("a rollout that makes no sense is refused with every fault named: %o", (request, paths) => {
  expect(issuesOf(request)).toEqual(paths);
});
