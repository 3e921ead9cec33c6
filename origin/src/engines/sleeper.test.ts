import { expect, test } from "vitest";
import { Sleeper, type SleeperOptions } from "./sleeper.ts";

/** A sleeper by a clock of the test's, which wakes when the test says so. */
function sleeper(more: Partial<SleeperOptions> = {}) {
  const clock = { ms: 1_000 };
  const rousing: ((awake: boolean) => void)[] = [];
  const rouse = () => new Promise<boolean>((resolve) => rousing.push(resolve));
  const one = new Sleeper({ rouse, usualMs: 30_000, nowMs: () => clock.ms, ...more });
  const rise = async (awake: boolean) => {
    rousing.at(-1)?.(awake);
    await Promise.resolve();
  };
  return { one, clock, rousing, rise };
}

const gone = { code: "origin_unavailable", cause: "refused" } as const;

test("an engine is awake until a call finds nobody there, and then says about how long it takes to wake", () => {
  const { one } = sleeper();
  expect(one.refusal()).toBeUndefined();
  expect(one.faultOf(gone)).toMatchObject({ code: "model_not_ready", wakingMs: 30_000, retryAfterMs: 30_000 });
  expect(one.refusal()).toMatchObject({ code: "model_not_ready", wakingMs: 30_000 });
});

test("a failure that is none of a sleeper's is told as it is", () => {
  const { one } = sleeper();
  expect(one.faultOf({ code: "upstream_failed" })).toEqual({ code: "upstream_failed" });
  expect(one.refusal()).toBeUndefined();
});

test("a thousand who ask wake it once, and hear when it is awake", async () => {
  const { one, rousing, rise, clock } = sleeper({ asleep: true });
  for (let ask = 0; ask < 1_000; ask++) expect(one.wake().state).toBe("waking");
  expect(rousing).toHaveLength(1);
  clock.ms += 20_000;
  expect(one.wake().eta_ms).toBe(10_000);
  await rise(true);
  expect(one.wake()).toEqual({ state: "awake", eta_ms: 0 });
  expect([one.refusal(), rousing.length]).toEqual([undefined, 1]);
});

test("one that does not wake is said to have failed once, and the next who asks begins anew", async () => {
  const { one, rousing, rise } = sleeper({ asleep: true });
  one.wake();
  await rise(false);
  expect(one.refusal()).toMatchObject({ code: "model_not_ready" });
  expect([one.wake().state, one.wake().state, rousing.length]).toEqual(["failed", "waking", 2]);
});

test("one that sleeps when it is idle is asleep from the start, and when nothing was heard of it for so long", async () => {
  const { one, clock, rise } = sleeper({ idleMs: 60_000 });
  expect(one.refusal()).toBeDefined();
  one.wake();
  await rise(true);
  clock.ms += 59_999;
  expect(one.refusal()).toBeUndefined();
  one.heard();
  clock.ms += 59_999;
  expect(one.refusal()).toBeUndefined();
  clock.ms += 1;
  expect(one.refusal()).toBeDefined();
});

test("what takes longer than usual never says that it is due in less than a second", () => {
  const { one, clock } = sleeper({ asleep: true });
  one.wake();
  for (let s = 0; s < 100; s++) {
    clock.ms += 997;
    expect(one.wake().eta_ms).toBeGreaterThanOrEqual(1_000);
  }
});
