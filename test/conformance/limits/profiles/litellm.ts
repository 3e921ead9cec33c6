import { randomBytes } from "node:crypto";
import { NotOffered } from "../../suite/judge.ts";
import type { Profile } from "../profile.ts";

/**
 * LiteLLM's proxy without a database: its documented `custom_auth` hook reads from a key's text what the key may
 * (docs/conformance.md shows the hook), and the proxy's own limiter holds it.
 */
export const litellm: Profile = {
  name: "litellm",
  about: "LiteLLM's proxy, with the hook of docs/conformance.md that reads limits from keys.",
  claims: new Set(["requests", "tokens", "in-flight", "retry-after"]),
  dress: ({ key }) => ({ Authorization: `Bearer ${key}` }),
  async issue({ requestsPerMinute, tokensPerMinute, inFlight, ...daily }) {
    if (Object.keys(daily).length > 0) throw new NotOffered("quotas a day and budgets need its database");
    const parts = [
      ...(requestsPerMinute === undefined ? [] : [`rpm${requestsPerMinute}`]),
      ...(tokensPerMinute === undefined ? [] : [`tpm${tokensPerMinute}`]),
      ...(inFlight === undefined ? [] : [`par${inFlight}`]),
    ];
    return { key: ["sk", ...parts, randomBytes(8).toString("hex")].join("-") };
  },
};
