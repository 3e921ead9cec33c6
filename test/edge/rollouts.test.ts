import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin } from "../support/registry.ts";
import {
  call,
  controlled,
  model,
  registerTwo,
  report,
  scriptedInference,
  start,
  versionsNow,
} from "../support/rollouts.ts";

/** Shadows, experiments and feedback from end to end: see canary.test.ts. */

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: scriptedInference } });
  key = (await edge.issueKey({ requests_per_minute: 10_000_000 })).key;
});
afterAll(() => edge.close());

describe("a shadow", () => {
  test("gets copies that callers do not see, and its agreement and latency are recorded", async () => {
    await registerTwo(edge, "differing");
    await start(edge, "differing", { kind: "shadow", version: "2" });
    await until("it gets copies", async () => {
      await call(edge, key, "differing", "somebody", "even");
      return (await report(edge, "differing")).arms[1]?.calls !== 0;
    });
    const before = (await report(edge, "differing")).arms[1]?.agreement;
    expect(before?.value).toBe(1);
    for (let text = 0; text < 20; text++) {
      expect(await call(edge, key, "differing", `user-${text}`, "odd")).toMatchObject({ status: 200, version: "1" });
    }
    await until("all copies are counted", async () => {
      const { agreement } = (await report(edge, "differing")).arms[1] ?? {};
      return agreement?.of === (before?.of ?? 0) + 20;
    });
    const after = (await report(edge, "differing")).arms[1];
    expect(after?.agreement?.value).toBeCloseTo((before?.of ?? 0) / (after?.agreement?.of ?? 0), 9);
    expect(after?.p50Ms).toBeDefined();
  });

  test("that fails is counted as failing and no caller notices", async () => {
    const name = "failing";
    await registerTwo(edge, name);
    await start(edge, name, { kind: "shadow", version: "2" });
    await until("its failures are counted", async () => {
      expect(await call(edge, key, name, "somebody")).toMatchObject({ status: 200, version: "1" });
      return (await report(edge, name)).arms[1]?.errors?.value === 1;
    });
    expect((await admin(edge, "POST", `/models/${name}/rollout/stop`)).status).toBe(200);
  });
});

describe("an experiment", () => {
  test("reports per arm calls, errors, latency, confidence and feedback with intervals, and moves nothing", async () => {
    const name = "unsure";
    await registerTwo(edge, name);
    await start(edge, name, { kind: "experiment", weights: { "1": 50, "2": 50 } });
    await until("both versions answer", async () => (await versionsNow(edge, key, name)).size === 2);
    const mine = await call(edge, key, name, "rater");
    const rating = { request_id: mine.requestId, model: `${name}@${mine.version}`, score: 0.8 };
    expect(await (await edge.post("/v1/feedback", key, rating)).json()).toEqual({ counted: true });
    const told = await report(edge, name);
    const arm = (version: string) => told.arms.find((one) => one.version === version);
    for (const [version, confidence] of [
      ["1", 0.9],
      ["2", 0.1],
    ] as const) {
      const one = arm(version);
      expect(one?.share).toBe(0.5);
      expect(one?.calls).toBeGreaterThan(20);
      expect(one?.errors).toMatchObject({ value: 0, low: 0 });
      expect(one?.errors?.high).toBeGreaterThan(0);
      expect(one?.confidence?.value).toBeCloseTo(confidence, 9);
      expect(one?.p95Ms?.low).toBeGreaterThan(0);
    }
    expect(arm(mine.version ?? "")?.feedback).toMatchObject({ value: 0.8, of: 1 });
    expect(told.criteria).toBeUndefined();
    expect((await controlled(edge, name)).filter(({ to }) => JSON.stringify(to).includes("promoted"))).toEqual([]);
    await admin(edge, "POST", `/models/${name}/rollout/stop`);
    expect((await model(edge, name)).stable).toBe("1");
  });

  test("counts no answer from the cache: it says nothing of the version", async () => {
    await registerTwo(edge, "cached");
    await start(edge, "cached", { kind: "experiment", weights: { "1": 50, "2": 50 } });
    await until("both versions answer", async () => (await versionsNow(edge, key, "cached")).size === 2);
    const callsNow = async () => (await report(edge, "cached")).arms.reduce((sum, { calls }) => sum + calls, 0);
    const before = await callsNow();
    for (let again = 0; again < 5; again++) {
      await (await edge.post("/v1/predict", key, { model: "cached", input: "the same" })).text();
    }
    expect(await callsNow()).toBe(before + 1);
  });
});

describe("feedback", () => {
  const rating = { request_id: "request-1", model: "intent@1", score: 1 };
  const rate = (body: object, who = key) => edge.post("/v1/feedback", who, body);

  test("is counted once a request, however often it is sent", async () => {
    const first = await rate(rating);
    expect(first.status).toBe(202);
    expect(await first.json()).toEqual({ counted: true });
    expect(await (await rate({ ...rating, score: 0 })).json()).toEqual({ counted: false });
  });

  test.each([
    ["a score above 1", { ...rating, score: 1.1 }, 400, "invalid_request"],
    ["a model without its version", { ...rating, model: "intent" }, 400, "invalid_request"],
    ["a member that is not known", { ...rating, comment: "nice" }, 400, "invalid_request"],
    ["a model that is not deployed", { ...rating, model: "nobody@1" }, 404, "model_not_found"],
    ["a version that is not deployed", { ...rating, model: "intent@9" }, 404, "model_not_found"],
  ])("with %s is refused", async (_what, body, status, code) => {
    const answer = await rate(body);
    expect(answer.status).toBe(status);
    expect((await bodyOf(answer)).code).toBe(code);
  });

  test("needs a key", async () => {
    expect((await rate(rating, "nobody's")).status).toBe(401);
  });
});

describe("a rollout is refused", () => {
  test.each([
    ["of a version that is stable already", "intent", { kind: "canary", version: "1" }, 400, "invalid_request"],
    ["of a version that is not there", "intent", { kind: "canary", version: "7" }, 404, "version_not_found"],
    ["of a model that is not there", "nobody", { kind: "canary", version: "2" }, 404, "model_not_found"],
    ["with steps that shrink", "intent", { kind: "canary", version: "7", steps: [50, 20] }, 400, "invalid_request"],
    [
      "with weights that do not add up",
      "intent",
      { kind: "experiment", weights: { "1": 1, "2": 2 } },
      400,
      "invalid_request",
    ],
  ])("%s, and changes nothing", async (_what, name, body, status, code) => {
    const answer = await admin(edge, "POST", `/models/${name}/rollout`, body);
    expect(answer.status).toBe(status);
    expect((answer.body as { code: string }).code).toBe(code);
    expect((await model(edge, "intent")).rollout).toBeUndefined();
  });

  test("while another one runs", async () => {
    await registerTwo(edge, "busy");
    await start(edge, "busy", { kind: "shadow", version: "2" });
    const second = await admin(edge, "POST", "/models/busy/rollout", { kind: "canary", version: "2" });
    expect(second).toMatchObject({ status: 409, body: { code: "rollout_running" } });
  });

  test.each(["GET rollout", "POST rollout/promote", "POST rollout/rollback", "POST rollout/stop"])(
    "%s of a model without one is a 404 that says where to look",
    async (route) => {
      const [method = "", path = ""] = route.split(" ");
      const answer = await admin(edge, method, `/models/intent/${path}`);
      expect(answer).toMatchObject({ status: 404, body: { code: "rollout_not_found" } });
    },
  );
});
