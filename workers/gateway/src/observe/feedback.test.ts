import { noRollout, type RegisteredModel, type Rollout } from "@ledge/contract";
import { expect, test } from "vitest";
import { takeFeedback } from "./feedback.ts";
import type { Rating } from "./ports.ts";

const versions = ["1", "2", "3"].map((version) => ({ version }));
const arms = [{ version: "1" }, { version: "2" }];
const rollout = { id: "r1", kind: "experiment", arms } as unknown as Rollout;
const model = { name: "m", versions, rollout } as unknown as RegisteredModel;
const body = { request_id: "request-1", model: "m@2", score: 0.2 };

async function rate(request: unknown, known: RegisteredModel | undefined = model, tenant = "acme") {
  const ratings: Rating[] = [];
  const counter = {
    rate: async (_model: string, rating: Rating) => {
      ratings.push(rating);
      return true;
    },
  };
  const taken = await takeFeedback(request, tenant, (name) => (name === "m" ? known : undefined), counter);
  return { taken, ratings };
}

test("a rating counts for the arm of the rollout that has the version", async () => {
  const { taken, ratings } = await rate(body);
  expect(taken).toMatchObject({ ok: true, value: { counted: true } });
  expect(ratings).toEqual([{ requestId: "acme request-1", version: "2", score: 0.2, rollout: "r1" }]);
});

test("two tenants rate requests of the same id apart", async () => {
  const ids = await Promise.all(["acme", "umbra"].map(async (tenant) => (await rate(body, model, tenant)).ratings));
  expect(new Set(ids.map(([rating]) => rating?.requestId)).size).toBe(2);
});

test("a rating of a version that no rollout has counts for no rollout", async () => {
  expect((await rate({ ...body, model: "m@3" })).ratings[0]?.rollout).toBe(noRollout);
  const { rollout: _ended, ...calm } = model;
  expect((await rate(body, calm)).ratings[0]?.rollout).toBe(noRollout);
});

test("a rating of what is not deployed is refused, and counts for nothing", async () => {
  for (const named of ["m@4", "n@1"]) {
    const { taken, ratings } = await rate({ ...body, model: named });
    expect(taken).toMatchObject({ ok: false, fault: { code: "model_not_found" } });
    expect(ratings).toEqual([]);
  }
});

test("a counter that cannot be reached is a fault that may be tried again", async () => {
  const counter = { rate: () => Promise.reject(new Error("not reached")) };
  const taken = await takeFeedback(body, "acme", () => model, counter);
  expect(taken).toMatchObject({ ok: false, fault: { code: "counter_unavailable" } });
});
