import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rules } from "./cache/rules.ts";
import { type RunningTarget, startLedge } from "./cache/start-ledge.ts";
import { Trial } from "./cache/trial.ts";
import { judge } from "./suite/judge.ts";
import { MockOrigin } from "./suite/mock-origin.ts";

/** The suite that anyone can run against any gateway (docs/conformance.md), against Ledge. */

let origin: MockOrigin;
let running: RunningTarget;
let trial: Trial;

beforeAll(async () => {
  origin = await MockOrigin.listen();
  running = await startLedge(origin.url);
  trial = new Trial(running.target, origin);
});
afterAll(async () => {
  await running.close();
  await origin.close();
});

describe("Ledge's answer cache", () => {
  test.each(rules.map((rule) => [rule.says, rule] as const))("%s", async (_says, rule) => {
    const { outcome, note } = await judge(rule, trial);
    expect({ outcome, ...(outcome === "pass" ? {} : { note }) }).toEqual({ outcome: "pass" });
  });
});
