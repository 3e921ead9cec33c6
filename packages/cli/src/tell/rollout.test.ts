import type { RolloutReport } from "@ledge/contract";
import { expect, test } from "vitest";
import { rolloutReportText } from "./rollout.ts";

const limits = { unsureBelow: 0.5, errorTolerance: 0, slowTolerance: 0, unsureTolerance: 0, dislikedTolerance: 0 };
const arm = { calls: 100, skipped: 0 };
const report: RolloutReport = {
  model: "intent",
  rollout: {
    kind: "canary",
    id: "a",
    startedAtMs: 0,
    limits,
    steps: [500, 10_000],
    step: 0,
    stepStartedAtMs: 0,
    callsMin: 100,
    stepMsMin: 0,
    falseAlarm: 0.05,
    arms: [
      { version: "1", weight: 9500 },
      { version: "2", weight: 500 },
    ],
  },
  arms: [
    { ...arm, version: "1", share: 0.95, errors: { value: 0.01, low: 0.005, high: 0.02, of: 100 } },
    { ...arm, version: "2", share: 0.05, p95Ms: { value: 12.34, low: 10 } },
  ],
  criteria: [
    {
      name: "error",
      tolerance: 0.01,
      stable: { bad: 1, of: 100 },
      stableBounds: { lower: 0, upper: 0.05 },
      candidate: { bad: 0, of: 100 },
      candidateBounds: { lower: 0, upper: 0.04 },
      verdict: "fine",
    },
  ],
  next: { kind: "wait", reason: "The step has had 100 of 500 calls." },
};

test("a rollout is told arm by arm with intervals, without columns that nobody has anything to say about", () => {
  expect(rolloutReportText(report).split("\n")).toEqual([
    "intent: canary (1: 95 %, 2: 5 %), since 1970-01-01T00:00:00.000Z",
    "",
    "version  share  calls  errors             p95 ms",
    "1        95 %   100    1 % (0.5 % … 2 %)  –",
    "2        5 %    100    –                  12.3 (10 … ?)",
    "",
    "criterion  verdict  stable                candidate             may be worse by",
    "error      fine     1 of 100 (0 % … 5 %)  0 of 100 (0 % … 4 %)  1 %",
    "",
    "next: wait. The step has had 100 of 500 calls.",
  ]);
});
