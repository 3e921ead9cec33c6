import type { ModelManifest, Rollout } from "@ledge/contract";

/** What changes of the registry are made of, for tests of the decision. */

/** A package that is nobody's model. */
export function manifestOf(name: string): ModelManifest {
  return {
    name,
    version: "1",
    task: "tensor",
    description: "",
    licence: "none",
    file: { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) },
    inputs: [],
    outputs: [],
    tiers: ["edge"],
    limits: {},
    metrics: { accuracy: 1 },
  };
}

const limits = { unsureBelow: 0, errorTolerance: 0, slowTolerance: 0, unsureTolerance: 0, dislikedTolerance: 0 };

/** A canary at its first step of two. */
export function canaryOf(stable: string, candidate: string, id = "r1"): Rollout {
  const arms: [{ version: string; weight: number }, { version: string; weight: number }] = [
    { version: stable, weight: 9_900 },
    { version: candidate, weight: 100 },
  ];
  const pace = { steps: [100, 10_000], step: 0, stepStartedAtMs: 0, callsMin: 1, stepMsMin: 0, falseAlarm: 0.01 };
  return { kind: "canary", id, startedAtMs: 0, limits, ...pace, arms };
}
