import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin } from "../support/registry.ts";
import {
  call,
  callUntil,
  controlled,
  model,
  registerTwo,
  report,
  scriptedInference,
  start,
  versionsNow,
} from "../support/rollouts.ts";

/** Canaries from end to end: the real gateway with its registry and its counters, and an inference Worker that does as told. */

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: scriptedInference } });
  key = (await edge.issueKey({ requests_per_minute: 10_000_000 })).key;
});
afterAll(() => edge.close());

const quick = { kind: "canary", version: "2", calls_min: 20, step_seconds_min: 0 };
const running = async (name: string) => (await model(edge, name)).rollout !== undefined;

describe("a canary", () => {
  test("whose candidate is as good goes 1, 5, 25, 100 per cent by itself and ends as the stable version", async () => {
    await registerTwo(edge, "good");
    await start(edge, "good", { ...quick, calls_min: 5 });
    const seen = await callUntil("version 2 is stable", edge, [key, "good"], async () => !(await running("good")));
    expect((await model(edge, "good")).stable).toBe("2");
    const rows = await controlled(edge, "good");
    expect(rows.map(({ kind, to }) => [kind, to])).toEqual([
      ["advance-rollout", expect.objectContaining({ step: 1, weight: 500 })],
      ["advance-rollout", expect.objectContaining({ step: 2, weight: 2_500 })],
      ["advance-rollout", expect.objectContaining({ step: 3, weight: 10_000 })],
      ["end-rollout", { outcome: "promoted", stable: "2" }],
    ]);
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set([200]));
    await until("everybody gets version 2", async () => (await versionsNow(edge, key, "good")).has("1") === false);
  });

  test.each([
    ["failing", "error"],
    ["unsure", "unsure"],
    ["slow", "slow"],
  ])(
    "whose candidate is %s is rolled back by itself, and the audit says that it was the %s rate",
    async (name, criterion) => {
      await registerTwo(edge, name);
      await start(edge, name, { ...quick, steps: [30, 100], calls_min: 1_000, slow_ms: 500 });
      await callUntil("it is rolled back", edge, [key, name], async () => !(await running(name)));
      const after = await model(edge, name);
      expect(after.stable).toBe("1");
      const rows = await controlled(edge, name);
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ kind: "end-rollout", to: { outcome: "rolled-back", stable: "1" } });
      expect(rows[0]?.reason).toMatch(new RegExp(`^${criterion}: .* surely worse than tolerated$`));
      await until("new requests get version 1", async () => [...(await versionsNow(edge, key, name))].join() === "1");
    },
  );

  test("whose candidate is disliked is rolled back by itself", async () => {
    await registerTwo(edge, "disliked");
    await start(edge, "disliked", { ...quick, steps: [50, 100], calls_min: 1_000 });
    await until("both versions answer", async () => (await versionsNow(edge, key, "disliked")).size === 2);
    const rate = async (version: string, score: number, count: number) => {
      for (let rating = 0; rating < count; rating++) {
        const body = { request_id: `disliked-${version}-${rating}`, model: `disliked@${version}`, score };
        expect((await edge.post("/v1/feedback", key, body)).status).toBe(202);
      }
    };
    await rate("1", 1, 60);
    await rate("2", 0, 60);
    await until("it is rolled back", async () => !(await running("disliked")));
    expect((await controlled(edge, "disliked"))[0]?.reason).toMatch(/^disliked: /);
  });

  test("that is rolled back by hand reaches new requests within five seconds", async () => {
    await registerTwo(edge, "byhand");
    await start(edge, "byhand", { ...quick, steps: [50, 100], calls_min: 1_000_000 });
    await until("both versions answer", async () => (await versionsNow(edge, key, "byhand")).size === 2);
    expect((await admin(edge, "POST", "/models/byhand/rollout/rollback")).status).toBe(200);
    await until("new requests get version 1", async () => [...(await versionsNow(edge, key, "byhand"))].join() === "1");
  });

  test("keeps each caller with its arm, and whoever has the candidate keeps it as its share grows", async () => {
    await registerTwo(edge, "sticky");
    await start(edge, "sticky", { ...quick, steps: [30, 60, 100], calls_min: 300 });
    await until("both versions answer", async () => (await versionsNow(edge, key, "sticky")).size === 2);
    const armOf = async (who: string) => (await call(edge, key, "sticky", who)).version;
    const callers = Array.from({ length: 40 }, (_, who) => `sticky-${who}`);
    const first = await Promise.all(callers.map(armOf));
    expect(await Promise.all(callers.map(armOf))).toEqual(first);
    await callUntil("the next step", edge, [key, "sticky"], async () => (await controlled(edge, "sticky")).length > 0);
    const grown = await Promise.all(callers.map(armOf));
    for (const [i, version] of first.entries()) if (version === "2") expect(grown[i]).toBe("2");
  });

  test("tells an operator its criteria with their bounds and what it waits for", async () => {
    await registerTwo(edge, "told");
    await start(edge, "told", { ...quick, steps: [50, 100], calls_min: 1_000_000 });
    await callUntil(
      "calls are counted",
      edge,
      [key, "told"],
      async () => (await report(edge, "told")).arms[1]?.calls !== 0,
    );
    const told = await report(edge, "told");
    expect(told.next).toMatchObject({ kind: "wait", reason: expect.stringMatching(/more calls of the candidate/) });
    expect(told.criteria?.map(({ name, verdict }) => [name, verdict])).toEqual([
      ["error", "fine"],
      ["slow", "fine"],
      ["unsure", "fine"],
      ["disliked", "fine"],
    ]);
  });
});

test("an operator who promotes makes the candidate stable at once", async () => {
  await registerTwo(edge, "promoted");
  await start(edge, "promoted", { ...quick, calls_min: 1_000_000 });
  const after = await admin(edge, "POST", "/models/promoted/rollout/promote");
  expect(after).toMatchObject({ status: 200, body: { stable: "2", previousStable: "1" } });
});
