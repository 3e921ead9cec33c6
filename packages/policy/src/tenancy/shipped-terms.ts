import type { Terms } from "@ledge/contract";

/**
 * The terms that a directory begins with, an example as well as a start: `internal`, which every new tenant has, limits
 * nothing; nothing costs. All of it can be changed.
 */
export const shippedTerms: Terms = {
  number: 1,
  currency: "USD",
  plans: {
    internal: { tier: "standard" },
    free: {
      tier: "low",
      limits: { requests_per_minute: 60, in_flight: 4 },
      quotas: { calls_per_day: 1_000, tokens_per_month: 1_000_000 },
      notify_at: [0.8, 1],
      weight: 0.5,
    },
    pro: {
      tier: "high",
      limits: { requests_per_minute: 6_000, in_flight: 200 },
      quotas: { calls_per_month: 1_000_000 },
      notify_at: [0.5, 0.8, 1],
      weight: 4,
    },
  },
  tiers: { high: { priority: 2 }, standard: { priority: 5 }, low: { priority: 8 } },
  models: {},
  price: {},
};
