import { fail, type ModelManifest, ok, type PredictAnswer, type Result } from "@ledge/contract";
import { expect, test } from "vitest";
import type { ClassifyCall, DeployedModel, Trail } from "../exchange.ts";
import { classify } from "./classify.ts";
import { Paces } from "./paces.ts";

const noTime = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
const answer: PredictAnswer = { predictions: [], inputTokens: 1, timings: noTime };
const call: ClassifyCall = {
  task: "text-classification",
  model: { name: "m" },
  inputs: ["x"],
  topK: 1,
  logits: false,
};
const journey = { requestId: "r", deadlineMs: Number.POSITIVE_INFINITY, signal: new AbortController().signal };

function model(tiers: ModelManifest["tiers"]): DeployedModel {
  const manifest = { name: "m", version: "1", tiers } as ModelManifest;
  return { name: "m", version: "1", digest: "d", manifest };
}

/** Asks with tiers that answer as told, and says who was asked. */
async function ask(edge: Result<PredictAnswer>, origin: Result<PredictAnswer>, tiers: ModelManifest["tiers"]) {
  const nowMs = () => 0;
  const paces = new Paces(nowMs);
  const asked: string[] = [];
  const trail: Trail = { timings: {} };
  const tier = (name: string, result: Result<PredictAnswer>) => ({
    predict: async () => {
      asked.push(name);
      return result;
    },
  });
  const outcome = await classify(
    { edge: tier("edge", edge), origin: tier("origin", origin), paces, nowMs },
    model(tiers),
    call,
    journey,
    trail,
  );
  return { asked, trail, outcome };
}

test("the edge answers when it can, and the origin is not asked", async () => {
  const { asked, trail } = await ask(ok(answer), fail("origin_unavailable"), ["edge", "origin"]);
  expect(asked).toEqual(["edge"]);
  expect(trail.tier).toBe("edge");
});

test.each(["overloaded", "upstream_failed", "model_not_ready"] as const)(
  "after %s the origin answers",
  async (code) => {
    const { asked, trail, outcome } = await ask(fail(code, { cause: "why" }), ok(answer), ["edge", "origin"]);
    expect(asked).toEqual(["edge", "origin"]);
    expect(trail.tier).toBe("origin");
    expect(trail.cause).toBe(`edge: ${code} why`);
    expect(outcome.ok).toBe(true);
  },
);

test("a passed deadline is not tried again elsewhere", async () => {
  const { asked, outcome } = await ask(fail("deadline_exceeded"), ok(answer), ["edge", "origin"]);
  expect(asked).toEqual(["edge"]);
  expect(outcome).toMatchObject({ ok: false, fault: { code: "deadline_exceeded" } });
});

test("a model that names one tier is never asked of another", async () => {
  expect((await ask(ok(answer), ok(answer), ["origin"])).asked).toEqual(["origin"]);
  expect((await ask(fail("overloaded"), ok(answer), ["edge"])).asked).toEqual(["edge"]);
});

test("when all fail the last one's fault is the answer, and no tier is named", async () => {
  const { trail, outcome } = await ask(fail("overloaded"), fail("origin_unavailable"), ["edge", "origin"]);
  expect(outcome).toMatchObject({ ok: false, fault: { code: "origin_unavailable" } });
  expect(trail.tier).toBeUndefined();
});
