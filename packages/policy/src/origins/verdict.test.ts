import { expect, test } from "vitest";
import { verdictOf } from "./verdict.ts";

test.each([
  [200, undefined, "answered"],
  [400, "invalid_shape", "answered"],
  [429, "rate_limited", "answered"],
  [504, "deadline_exceeded", "answered"],
  [404, "model_not_found", "elsewhere"],
  [503, "overloaded", "elsewhere"],
  [503, "origin_unavailable", "elsewhere"],
  [500, "internal_error", "failed"],
  [502, "upstream_failed", "failed"],
  [401, "invalid_credentials", "failed"],
  [502, undefined, "silent"],
  [404, undefined, "answered"],
] as const)("%i with the code %s is read as %s", (status, code, verdict) => {
  expect(verdictOf(status, code)).toBe(verdict);
});
