import { type ArmTally, fail, ok, type RegisteredModel, type RegistryChange, type Snapshot } from "@ledge/contract";
import { emptyArmTally, latencyBucket } from "@ledge/policy";
import { expect, test } from "vitest";
import type { ModelDesk } from "./models.ts";
import { endRollout, type RolloutDesk, showRollout, startRollout } from "./rollouts.ts";

const stable = { name: "m", stable: "1", versions: [], aliases: {}, highestVersion: 2 } as unknown as RegisteredModel;
const usual: ArmTally = {
  ...emptyArmTally,
  calls: 200,
  latency: emptyArmTally.latency.map((_, bucket) => (bucket === latencyBucket(9) ? 200 : 0)),
};

/** A desk whose registry takes every change of a rollout, and whose counter knows what is usual, or cannot be reached. */
function deskOf(counterReachable = true) {
  let model = stable;
  const changes: RegistryChange[] = [];
  const snapshot = (): Snapshot => ({ number: 1, models: { m: model }, hot: [] }) as unknown as Snapshot;
  const registry = {
    change: async (change: RegistryChange) => {
      changes.push(change);
      if (change.kind === "start-rollout") model = { ...stable, rollout: change.rollout };
      return ok({ number: 1, changed: true });
    },
    snapshot: async () => snapshot(),
    audit: async () => [],
  };
  const counted = async <T>(value: T) => {
    if (!counterReachable) throw new Error("not reached");
    return value;
  };
  const desk: RolloutDesk = {
    models: { registry } as unknown as ModelDesk,
    counter: { readRollout: () => counted({ arms: { "1": usual } }), readUsual: () => counted(usual) },
    newId: () => "r1",
    nowMs: () => 1_000,
  };
  return { desk, changes };
}

test("a canary takes for slow what is above the stable version's 95th percentile when it starts", async () => {
  const { desk, changes } = deskOf();
  expect((await startRollout("m", { kind: "canary", version: "2" }, desk)).ok).toBe(true);
  const [change] = changes;
  const limits = change?.kind === "start-rollout" ? change.rollout.limits : undefined;
  expect(limits?.slowMs).toBeGreaterThanOrEqual(9);
  expect(limits?.slowMs).toBeLessThan(9 * 1.3);
});

test("a counter that cannot be reached keeps no rollout from starting and none from being ended", async () => {
  const { desk, changes } = deskOf(false);
  expect((await startRollout("m", { kind: "canary", version: "2" }, desk)).ok).toBe(true);
  expect((await endRollout("m", "rolled-back", desk)).ok).toBe(true);
  expect(changes.map(({ kind }) => kind)).toEqual(["start-rollout", "end-rollout"]);
});

test("a report without its counter is a fault that says so, not a report of nothing", async () => {
  const { desk } = deskOf(false);
  await startRollout("m", { kind: "shadow", version: "2" }, desk);
  expect(await showRollout("m", desk)).toMatchObject(fail("counter_unavailable", { cause: "Error: not reached" }));
});

test("a request that makes no sense changes nothing", async () => {
  const { desk, changes } = deskOf();
  for (const body of [
    null,
    {},
    { kind: "canary" },
    { kind: "canary", version: "1" },
    { kind: "blue-green", version: "2" },
  ]) {
    expect(await startRollout("m", body, desk)).toMatchObject({ ok: false, fault: { code: "invalid_request" } });
  }
  expect(changes).toEqual([]);
});
