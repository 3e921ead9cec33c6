import { type ErrorCode, errors } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterRun, breaksMax, mayBecomeJob, runDelayMs } from "./schedule.ts";

const codes = Object.keys(errors) as ErrorCode[];
const history = fc.record({ attempts: fc.integer({ min: 1, max: 10_000 }), breaks: fc.integer({ min: 0, max: 18 }) });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("only a failure of origins and capacity may become a job: no fault of the caller's, no limit, no quota, no doubt who it is", () => {
  const may = codes.filter(mayBecomeJob);
  expect(may).toEqual(["upstream_failed", "overloaded", "origin_unavailable", "model_not_ready", "deadline_exceeded"]);
  for (const code of may) {
    expect([502, 503, 504]).toContain(errors[code].status);
    expect(errors[code].retryable).toBe(true);
  }
});

describe("after a run", () => {
  test("that was answered a job has succeeded", () => {
    fc.assert(
      fc.property(history, random, (tried, chance) => {
        expect(afterRun(tried, {}, chance)).toEqual({ kind: "succeeded" });
      }),
    );
  });

  test("a refusal that may pass puts it off, every other ends it", () => {
    fc.assert(
      fc.property(history, fc.constantFrom(...codes), random, (tried, code, chance) => {
        expect(afterRun(tried, { code }, chance).kind).toBe(errors[code].retryable ? "again" : "failed");
      }),
    );
  });

  test("at which its engine broke for the twentieth time it has failed", () => {
    const step = (breaks: number) => afterRun({ attempts: 50, breaks }, { code: "upstream_failed" }, 0.5);
    expect(step(breaksMax - 2)).toMatchObject({ kind: "again", breaks: breaksMax - 1 });
    expect(step(breaksMax - 1)).toEqual({ kind: "failed", code: "upstream_failed" });
  });

  test("that found no room or nobody there it is put off however often that was", () => {
    for (const code of ["overloaded", "origin_unavailable", "model_not_ready", "rate_limited", "quota_exceeded"]) {
      expect(afterRun({ attempts: 500, breaks: 19 }, { code }, 0.5)).toMatchObject({ kind: "again", breaks: 19 });
    }
  });
});

describe("the wait before the next run", () => {
  test("is never shorter than the refusal asked for, and jitters below a bound that doubles up to five minutes", () => {
    const retryAfter = fc.integer({ min: 0, max: 86_400_000 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), retryAfter, random, (attempts, retryAfterMs, chance) => {
        const delayMs = runDelayMs(attempts, retryAfterMs, chance);
        expect(delayMs).toBeGreaterThanOrEqual(retryAfterMs);
        expect(delayMs).toBeLessThanOrEqual(Math.max(retryAfterMs, Math.min(300_000, 1_000 * 2 ** attempts)));
      }),
    );
  });

  test("uses the whole of the bound", () => {
    expect([0, 1, 2, 3, 20].map((attempts) => runDelayMs(attempts, 0, 0.999_999))).toEqual([
      999, 1_999, 3_999, 7_999, 299_999,
    ]);
    expect(runDelayMs(5, 0, 0)).toBe(0);
  });
});
