import { expect, test } from "vitest";
import { defaultTerms, standingOf, unregistered } from "./standing.ts";

const terms = {
  ...defaultTerms,
  plans: {
    ...defaultTerms.plans,
    pro: {
      tier: "gold",
      limits: { requests_per_minute: 100, in_flight: 4 },
      key_limits: { requests_per_minute: 50, tokens_per_minute: 1_000 },
      quotas: { calls_per_day: 10 },
    },
  },
  tiers: { ...defaultTerms.tiers, gold: { priority: 1, limits: { requests_per_second: 9 } } },
};

test("a key's and a tenant's own limits stand in place of the plan's, member by member", () => {
  const tenant = { ...unregistered("acme"), plan: "pro", limits: { in_flight: 8 }, quotas: { calls_per_month: 99 } };
  const standing = standingOf({ limits: { tokens_per_minute: 7 } }, tenant, terms, { requests_per_minute: 600 });
  expect(standing.limits).toEqual({
    key: { requests_per_minute: 50, tokens_per_minute: 7 },
    user: {},
    tenant: { requests_per_minute: 100, in_flight: 8 },
    tier: { requests_per_second: 9 },
  });
  expect(standing.quotas).toEqual({ calls_per_day: 10, calls_per_month: 99 });
  expect(standing).toMatchObject({ tier: "gold", priority: 1, weight: 1 });
});

test("a key's tier stands in place of its plan's", () => {
  expect(standingOf({ tier: "standard" }, { ...unregistered("acme"), plan: "pro" }, terms, {})).toMatchObject({
    tier: "standard",
    priority: 5,
    limits: { tier: {} },
  });
});

test("a plan or a tier that is called like a member of every object is none", () => {
  const tenant = { ...unregistered("acme"), plan: "constructor" };
  const standing = standingOf({ tier: "toString" }, tenant, terms, { requests_per_minute: 600 });
  expect(standing).toMatchObject({
    priority: 5,
    quotas: {},
    limits: { key: { requests_per_minute: 600 }, tenant: {} },
  });
});
