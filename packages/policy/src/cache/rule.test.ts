import { expect, test } from "vitest";
import { cacheRule } from "./rule.ts";

const deployment = { ttl_s: 3600, stale_while_revalidate_s: 60, stale_if_error_s: 600 };

test("a tenant's policy goes before its model's, and that before the deployment's, member by member", () => {
  const rule = cacheRule(deployment, { ttl_s: 100, vary: ["x-a"] }, { ttl_s: 10, entry_bytes_max: 5 });
  expect(rule).toMatchObject({
    ttlS: 10,
    vary: ["x-a"],
    entryBytesMax: 5,
    staleWhileRevalidateS: 60,
    staleIfErrorS: 600,
  });
});

test("off at any level is off", () => {
  expect(cacheRule(deployment).enabled).toBe(true);
  expect(cacheRule(deployment, { enabled: false }, { enabled: true }).enabled).toBe(false);
  expect(cacheRule(deployment, {}, { enabled: false }).enabled).toBe(false);
  expect(cacheRule({ enabled: false }, { enabled: true }).enabled).toBe(false);
});

test("the semantic part is joined member by member too, and is on only where nobody says off", () => {
  const semantic = (model: object, tenant: object) =>
    cacheRule(deployment, { semantic: model }, { semantic: tenant }).semantic;
  expect(semantic({ enabled: true, embedder: "embed" }, { probability_min: 0.9 })).toEqual({
    enabled: true,
    embedder: "embed",
    probability_min: 0.9,
  });
  expect(semantic({ enabled: true }, { enabled: false }).enabled).toBe(false);
  expect(semantic({ enabled: false }, { enabled: true }).enabled).toBe(false);
});

test("no time to live is above the longest that the policy allows", () => {
  expect(cacheRule(deployment, { ttl_s_max: 60 })).toMatchObject({ ttlS: 60, ttlSMax: 60 });
  expect(cacheRule(deployment)).toMatchObject({ ttlS: 3600, ttlSMax: 2_592_000 });
});
