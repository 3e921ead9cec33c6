import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { inferenceStandIn } from "../support/inference-stand-in.ts";
import { startEdge, startOrigin, type TestEdge, until } from "../support/ledge.ts";

/** Which tier a call goes to first when both can run its model, and that the answer and the log say why. */

let origin: RunningOrigin;
let edge: TestEdge | undefined;

beforeAll(async () => {
  origin = await startOrigin({ MODELS: "intent" });
});
afterEach(async () => {
  await edge?.close();
  edge = undefined;
});
afterAll(() => origin.close());

/** An edge that is right and slow: so many milliseconds a call. */
const slow = (ms: number) =>
  inferenceStandIn(`
    async predict({ inputs }) {
      await scheduler.wait(${ms});
      const predictions = inputs.map(() => ({ label: "slow", score: 1, top: [{ label: "slow", score: 1 }] }));
      return { ok: true, value: { predictions, inputTokens: 1, timings } };
    }`);

async function caller(options: Parameters<typeof startEdge>[0]) {
  const started = await startEdge({ originUrl: origin.url, ...options });
  edge = started;
  const { key } = await started.issueKey();
  return async (headers: Readonly<Record<string, string>> = {}) => {
    const body = { model: "intent", input: "transfer fifty dollars" };
    const answer = await started.post("/v1/predict", key, body, { "Cache-Control": "no-store", ...headers });
    await answer.text();
    const place = /place;desc=(\w+)/.exec(answer.headers.get("Server-Timing") ?? "")?.[1];
    return { status: answer.status, tier: answer.headers.get("Ledge-Tier"), place };
  };
}

test("light work is answered at the edge, and the answer says that it was near", async () => {
  const call = await caller({});
  expect(await call()).toEqual({ status: 200, tier: "edge", place: "near" });
});

test("an edge that takes much longer than the origin would is left for the origin, which the answer and the log say", async () => {
  const call = await caller({ standIns: { inference: slow(600) } });
  expect(await call()).toMatchObject({ tier: "edge", place: "near" });
  let answer: object = {};
  await until(
    "a call goes to the origin",
    async () => {
      answer = await call();
      return "place" in answer && answer.place === "sooner";
    },
    20_000,
  );
  expect(answer).toEqual({ status: 200, tier: "origin", place: "sooner" });
  await until("the log says it", () => edge?.logs.some((line) => line.includes('"placed":"sooner"')) === true);
});

test("a call whose deadline the edge cannot meet goes where it can be met", async () => {
  const call = await caller({ standIns: { inference: slow(150) } });
  await until(
    "the edge is known to take longer",
    async () => (await call({ "Ledge-Timeout-Ms": "120" })).place === "deadline",
    20_000,
  );
});

test("an edge that says it is full is not asked again at once, and the origin answers in its place", async () => {
  const call = await caller({ inference: { QUEUE_ROWS_MAX: "0" } });
  const answers = [await call()];
  await until("a call goes past the edge", async () => {
    const answer = await call();
    answers.push(answer);
    return answer.place === "full";
  });
  expect(new Set(answers.map(({ status, tier }) => `${status} ${tier}`))).toEqual(new Set(["200 origin"]));
});
