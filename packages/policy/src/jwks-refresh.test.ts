import { describe, expect, test } from "vitest";
import { jwksStep } from "./jwks-refresh.ts";

const t = 1_700_000_000_000;
const minute = 60_000;

describe("the key set of an identity provider", () => {
  test("is fetched before the first token", () => {
    expect(jwksStep({}, "verify", t)).toBe("fetch");
  });

  test("is used for ten minutes without asking again", () => {
    expect(jwksStep({ fetchedAtMs: t, attemptedAtMs: t }, "verify", t + 9 * minute)).toBe("use");
    expect(jwksStep({ fetchedAtMs: t, attemptedAtMs: t }, "verify", t + 10 * minute)).toBe("fetch");
  });

  test("is fetched for an unknown kid at most once a minute", () => {
    const state = { fetchedAtMs: t, attemptedAtMs: t };
    expect(jwksStep(state, "unknown-kid", t + minute - 1)).toBe("use");
    expect(jwksStep(state, "unknown-kid", t + minute)).toBe("fetch");
    expect(jwksStep({ fetchedAtMs: t, attemptedAtMs: t + minute }, "unknown-kid", t + minute + 1)).toBe("use");
  });

  test("goes on verifying with stale keys while the provider is down, and tries it once a minute", () => {
    const down = { fetchedAtMs: t, attemptedAtMs: t + 20 * minute, failedAtMs: t + 20 * minute };
    expect(jwksStep(down, "verify", t + 20 * minute + 1)).toBe("use");
    expect(jwksStep(down, "verify", t + 21 * minute)).toBe("fetch");
  });

  test("is left alone for five seconds after a failed first try", () => {
    const failed = { attemptedAtMs: t, failedAtMs: t };
    expect(jwksStep(failed, "verify", t + 4_999)).toBe("unavailable");
    expect(jwksStep(failed, "verify", t + 5_000)).toBe("fetch");
  });

  test("is waited for, not fetched again, while the first fetch is under way; one that never ends is lost", () => {
    expect(jwksStep({ attemptedAtMs: t }, "verify", t + 1)).toBe("wait");
    expect(jwksStep({ attemptedAtMs: t }, "verify", t + 3_999)).toBe("wait");
    expect(jwksStep({ attemptedAtMs: t }, "verify", t + 4_000)).toBe("fetch");
    expect(jwksStep({ attemptedAtMs: t + 6_000, failedAtMs: t }, "verify", t + 6_001)).toBe("wait");
  });
});
