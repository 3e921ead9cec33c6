import { scopesDefault } from "@ledge/contract";
import { defaultTerms, standingOf, unregistered } from "@ledge/policy";
import { expect, test } from "vitest";
import type { DeployedModel, Trail } from "../exchange.ts";
import { rowOf } from "./row.ts";

const price = { per_call: 100, per_million_input_tokens: 2_000_000, per_gpu_second: 1_000, cache_hit_share: 0.5 };
const principal = {
  tenant: "acme",
  subject: "key:k",
  keyId: "k",
  user: "eve",
  project: "shop",
  scopes: scopesDefault,
  standing: standingOf({}, unregistered("acme"), defaultTerms, {}),
};
const rules = { quotas: {}, timeZone: "UTC", notifyAt: [] };

function row(trail: Partial<Trail>, code?: string) {
  const model = { name: "m", version: "2", digest: "d", manifest: {} } as unknown as DeployedModel;
  const payment = { call: "i.7", principal, action: "infer", price, currency: "USD", rules } as const;
  return rowOf({ timings: {}, model, payment, ...trail }, "request-1", 1_000, 1_250, code);
}

test("a row says who called, what answered, what it used, what it cost and how long it took", () => {
  const arm = { rollout: { id: "r" }, version: "2" } as unknown as NonNullable<Trail["arm"]>;
  const used = { inputTokens: 10, outputTokens: 0, runMs: 0 };
  expect(row({ arm, tier: "origin", used })).toEqual({
    id: "i.7",
    request_id: "request-1",
    at_ms: 1_250,
    key: "k",
    user: "eve",
    project: "shop",
    model: "m",
    version: "2",
    action: "infer",
    tier: "origin",
    cache: "bypass",
    input_tokens: 10,
    output_tokens: 0,
    cost: 120,
    list_cost: 120,
    latency_ms: 250,
    arm: "r:2",
  });
});

test("what the cache did decides what is charged: a stale answer in place of a failure is a kept one", () => {
  const spared = { inputTokens: 10, outputTokens: 0 };
  const used = { inputTokens: 0, outputTokens: 0 };
  const failed = { code: "upstream_failed", ttlS: -1, ageS: 9 } as const;
  const cache = { kind: "forward", why: "stale", stored: false, failed } as const;
  expect(row({ cache, tier: "edge", used, spared })).toMatchObject({
    cache: "hit",
    input_tokens: 10,
    cost: 60,
    list_cost: 120,
  });
});

test("what the edge saved is there where the origin has a price of its own", () => {
  expect(row({ tier: "edge", used: { inputTokens: 0, outputTokens: 0, runMs: 50 } })).toMatchObject({
    cost: 100,
    edge_saved: 50,
  });
});

test("a call that failed for nothing costs nothing and is a row all the same, and one that nobody pays for is none", () => {
  expect(row({}, "origin_unavailable")).toMatchObject({ cost: 0, code: "origin_unavailable", input_tokens: 0 });
  expect(rowOf({ timings: {} }, "request-1", 0, 1, undefined)).toBeUndefined();
});
