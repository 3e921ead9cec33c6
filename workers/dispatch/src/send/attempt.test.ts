import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Seats } from "../choose/seats.ts";
import type { Config, Origin } from "../config.ts";
import { Allowance } from "./allowance.ts";
import type { Asked } from "./ask.ts";
import { Attempt, type AttemptDeps } from "./attempt.ts";
import type { Call } from "./call.ts";

/** Origins that do what the test says, by a clock of its own. */

type Does = (call: Call, signal: AbortSignal | undefined) => Promise<Asked>;

const answers: Does = async () => said("answered", 200);
const fails: Does = async () => said("failed", 502);
const full: Does = async () => ({ ...said("elsewhere", 503), retryAfterMs: 1_000 });
const silent: Does = async () => ({ verdict: "silent", retryAfterMs: 0, cause: "connection lost", lost: true });
const refuses: Does = async () => said("answered", 400);
const hangs: Does = (_call, signal) =>
  new Promise((resolve) =>
    signal?.addEventListener("abort", () => resolve({ verdict: "silent", retryAfterMs: 0, cause: "aborted" })),
  );
const after =
  (ms: number): Does =>
  async () => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return said("answered", 200);
  };

/** The origin waits for its engine, and says that the call's time is up. */
const runsOut =
  (ms: number): Does =>
  async () => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { ...said("answered", 504), ranOut: true };
  };

function said(verdict: Asked["verdict"], status: number): Asked {
  return { verdict, response: new Response("", { status }), retryAfterMs: 0, cause: `status ${status}` };
}

const pools: Config["pools"] = [
  { name: "eu", continents: ["EU"], origins: ["eu-1", "eu-2"].map(originOf) },
  { name: "us", continents: ["NA"], origins: ["us-1"].map(originOf) },
];

function originOf(name: string): Origin {
  return { name, url: `https://${name}.example`, weight: 1 };
}

/** An isolate over origins that do what `does` says, by name. */
class World {
  readonly does: Record<string, Does>;
  readonly asked: string[] = [];
  readonly dead = new Set<string>();
  readonly turns: string[] = [];
  readonly deps: AttemptDeps;

  constructor(does: Record<string, Does>, bounds = { originCallsMax: 1_000, modelCallsMax: 1_000 }) {
    this.does = does;
    const chosen = pools.map((pool) => ({ ...pool, origins: pool.origins.filter(({ name }) => name in does) }));
    const config = { pools: chosen.filter(({ origins }) => origins.length > 0), secret: "", ...bounds };
    const nowMs = () => Date.now();
    this.deps = {
      seats: new Seats(config, (key, { kind }) => this.turns.push(`${key} ${kind}`), nowMs),
      allowance: new Allowance(),
      ask: (origin, call, signal) => {
        this.asked.push(origin.name);
        return this.does[origin.name]?.(call, signal) ?? silent(call, signal);
      },
      lives: async ({ name }) => !this.dead.has(name),
      nowMs,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      say: () => undefined,
    };
  }

  async call(more: Partial<Call> = {}) {
    const call: Call = {
      method: "POST",
      path: "/v1/predict",
      body: new Uint8Array(),
      bodySha256: "",
      headers: [],
      model: "intent@1",
      continent: "EU",
      deadlineMs: Date.now() + 10_000,
      hedged: false,
      ...more,
    };
    const running = new Attempt(this.deps, call, () => undefined).run();
    await vi.advanceTimersByTimeAsync(9_000);
    const answered = await running;
    return "response" in answered
      ? { status: answered.response.status, origin: answered.origin.name, attempts: answered.attempts }
      : answered;
  }

  times(name: string): number {
    return this.asked.filter((asked) => asked === name).length;
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a call", () => {
  test.each([
    ["fails", fails],
    ["is full", full],
    ["is silent", silent],
  ])("whose origin %s is answered by the other one, and nobody hears of it", async (_what, does) => {
    const world = new World({ "eu-1": does, "us-1": answers });
    expect(await world.call()).toEqual({ status: 200, origin: "us-1", attempts: 2 });
  });

  test("stays in its region while that has an origin that is well", async () => {
    const world = new World({ "eu-1": answers, "eu-2": answers, "us-1": answers });
    for (let call = 0; call < 50; call++) await world.call();
    expect(world.times("us-1")).toBe(0);
    expect(await world.call({ continent: "NA" })).toMatchObject({ origin: "us-1" });
  });

  test("that is the caller's fault is asked once", async () => {
    const world = new World({ "eu-1": refuses, "us-1": answers });
    expect(await world.call()).toEqual({ status: 400, origin: "eu-1", attempts: 1 });
  });

  test("that no origin can take gets what the last one said", async () => {
    const world = new World({ "eu-1": full, "us-1": fails });
    expect(await world.call()).toEqual({ status: 502, origin: "us-1", attempts: 2 });
  });

  test("is asked again of the only origin when its connection was lost and it lives", async () => {
    let calls = 0;
    const world = new World({ "eu-1": (call, signal) => (calls++ === 0 ? silent : answers)(call, signal) });
    expect(await world.call()).toEqual({ status: 200, origin: "eu-1", attempts: 2 });
  });

  test("to a single origin that does not live is refused with the time to come back, and asked again once it lives", async () => {
    const world = new World({ "eu-1": silent });
    world.dead.add("eu-1");
    expect(await world.call()).toMatchObject({ code: "origin_unavailable", retryAfterMs: expect.any(Number) });
    world.does["eu-1"] = answers;
    world.dead.clear();
    expect(await world.call()).toMatchObject({ status: 200 });
    expect(world.turns).toEqual(["eu-1 open", "eu-1 closed"]);
  });

  test("whose origin hangs and does not live is answered by the other one, and the first is stopped", async () => {
    let stopped = false;
    const world = new World({
      "eu-1": async (call, signal) => {
        const asked = await hangs(call, signal);
        stopped = true;
        return asked;
      },
      "us-1": answers,
    });
    world.dead.add("eu-1");
    expect(await world.call()).toEqual({ status: 200, origin: "us-1", attempts: 2 });
    expect(stopped).toBe(true);
    expect(world.turns).toContain("eu-1 open");
  });

  test("that takes long at an origin that lives is waited for", async () => {
    const world = new World({ "eu-1": after(8_000), "us-1": answers });
    expect(await world.call()).toEqual({ status: 200, origin: "eu-1", attempts: 1 });
  });
});

test("where a model fails everywhere, an origin that lives says so itself, and is asked once a call", async () => {
  const world = new World({ "eu-1": fails });
  for (let call = 0; call < 20; call++) expect(await world.call()).toMatchObject({ status: 502, attempts: 1 });
  expect(world.asked.length).toBe(20);
});

test("an answer that breaks off is asked for elsewhere, and not of the same origin again", async () => {
  const brokenOff: Does = async () => ({ verdict: "silent", retryAfterMs: 0, cause: "broke off" });
  const world = new World({ "eu-1": brokenOff });
  expect(await world.call()).toMatchObject({ code: "origin_unavailable" });
  expect(world.asked.length).toBe(1);
});

describe("an origin", () => {
  test("that said when to come back is not asked before, while another can be", async () => {
    const world = new World({ "eu-1": full, "eu-2": answers });
    world.does["eu-1"] = async () => ({ ...said("elsewhere", 503), retryAfterMs: 3_600_000 });
    for (let call = 0; call < 50; call++) await world.call();
    expect(world.times("eu-1")).toBeLessThanOrEqual(1);
  });

  test("whose model fails is left for that model alone, and tried again later", async () => {
    const world = new World({ "eu-1": fails, "us-1": answers });
    for (let call = 0; call < 5; call++) await world.call();
    const before = world.times("eu-1");
    expect(world.turns).toEqual(["eu-1|intent@1 open"]);
    world.does["eu-1"] = answers;
    expect(await world.call({ model: "other@1" })).toMatchObject({ origin: "eu-1", attempts: 1 });
    vi.setSystemTime(Date.now() + 60_000);
    expect(await world.call()).toMatchObject({ origin: "eu-1", attempts: 1 });
    expect(world.turns.at(-1)).toBe("eu-1|intent@1 closed");
    expect(world.times("eu-1")).toBe(before + 2);
  });

  test("whose engine hangs behind it is left for that model, though it lives and says that the time is up", async () => {
    const world = new World({ "eu-1": answers, "us-1": answers });
    for (let call = 0; call < 3; call++) await world.call();
    world.does["eu-1"] = runsOut(8_000);
    for (let call = 0; call < 5; call++) expect(await world.call()).toMatchObject({ status: 504, origin: "eu-1" });
    expect(world.turns).toEqual(["eu-1|intent@1 open"]);
    // One call is the trial; the others need not wait for it.
    const answered = await Promise.all(Array.from({ length: 6 }, () => world.call()));
    expect(answered.filter((answer) => "status" in answer && answer.status === 200)).toHaveLength(5);
  });

  test("is not left for callers who give it less time than its answers take", async () => {
    const world = new World({ "eu-1": after(3_000), "us-1": answers });
    for (let call = 0; call < 3; call++) await world.call();
    world.does["eu-1"] = runsOut(2_000);
    for (let call = 0; call < 12; call++) expect(await world.call()).toMatchObject({ status: 504, origin: "eu-1" });
    expect(world.turns).toEqual([]);
  });

  test("that was away for long is asked whether it is back every few seconds", async () => {
    const world = new World({ "eu-1": silent, "us-1": answers });
    world.dead.add("eu-1");
    for (let call = 0; call < 20; call++) await world.call();
    world.does["eu-1"] = answers;
    world.dead.clear();
    await vi.advanceTimersByTimeAsync(3_000);
    const due = world.deps.seats.due();
    expect(due?.origin.name).toBe("eu-1");
  });

  test("with a model that hangs keeps room for its other models", async () => {
    const world = new World(
      { "eu-1": (call, signal) => (call.model === "stuck@1" ? hangs : answers)(call, signal) },
      { originCallsMax: 8, modelCallsMax: 6 },
    );
    const stuck = Array.from({ length: 20 }, () => world.call({ model: "stuck@1" }));
    expect(await world.call()).toMatchObject({ status: 200 });
    expect(world.asked.filter((name) => name === "eu-1").length).toBe(7);
    void Promise.allSettled(stuck);
  });
});

test("when every origin fails, requests are at most a tenth more than calls, and a reserve of ten", async () => {
  const world = new World({ "eu-1": fails, "eu-2": fails, "us-1": fails });
  const calls = 250;
  for (let call = 0; call < calls; call++) await world.call();
  expect(world.asked.length).toBeLessThanOrEqual(calls * 1.1 + 10);
});

describe("a call that may be hedged", () => {
  const hedged = { hedged: true };

  async function warm(world: World) {
    for (let call = 0; call < 60; call++) await world.call(hedged);
    world.asked.length = 0;
  }

  test("is asked a second time when it is slower than nearly all, and the first answer is its answer", async () => {
    const world = new World({ "eu-1": after(10), "us-1": after(10) });
    await warm(world);
    world.does["eu-1"] = after(5_000);
    expect(await world.call(hedged)).toEqual({ status: 200, origin: "us-1", attempts: 2 });
  });

  test("is asked once when it is a chat", async () => {
    const world = new World({ "eu-1": after(10), "us-1": after(10) });
    await warm(world);
    world.does["eu-1"] = after(5_000);
    expect(await world.call()).toEqual({ status: 200, origin: "eu-1", attempts: 1 });
  });

  test("is one in twenty at most, however slow all become", async () => {
    const world = new World({ "eu-1": after(10), "us-1": after(10) });
    await warm(world);
    world.does["eu-1"] = world.does["us-1"] = after(500);
    for (let call = 0; call < 400; call++) await world.call(hedged);
    expect(world.asked.length).toBeLessThanOrEqual(400 + 0.05 * 460);
  });
});
