import { expect, test } from "vitest";
import { simulateBatching } from "../../scripts/simulate/batching.ts";

/** Callers who ask again 0.3 ms after they were answered, on virtual time. */
function compare(runMs: number, rowMs: number, callers: number) {
  const usual = { runMs, rowMs, callers, pauseMs: 0.3, calls: 3_000 };
  const of = (delayMsMax: number) => simulateBatching({ ...usual, rule: { delayMsMax, preferredRows: [] } });
  return { followed: of(2), none: of(0) };
}

test.each([2, 8, 32])(
  "where a run is dear and a row is not, waiting for %i callers gains a third and more",
  (callers) => {
    const { followed, none } = compare(5, 0.05, callers);
    expect(followed.callsPerSecond / none.callsPerSecond).toBeGreaterThan(1.33);
  },
);

test.each([
  [1, 0.1, 0.01],
  [8, 0.1, 0.01],
  [32, 0.1, 0.01],
  [1, 0.5, 1.2],
  [2, 0.5, 1.2],
  [8, 0.5, 1.2],
  [32, 0.5, 1.2],
])(
  "where waiting gains nothing next to nothing is lost: %i callers, runs of %f ms and %f a row",
  (callers, runMs, rowMs) => {
    const { followed, none } = compare(runMs, rowMs, callers);
    expect(followed.callsPerSecond / none.callsPerSecond).toBeGreaterThan(0.97);
  },
);

test.each([8, 32])(
  "where %i callers would all come back together, what stands still meanwhile is put to work, and nobody waits longer for it",
  (callers) => {
    // A thread takes 0.4 ms a call to answer them and read what they ask next; without that the engine would never stand still.
    const usual = { runMs: 0.5, rowMs: 1.2, callers, pauseMs: 0.001, calls: 3_000 };
    const rule = { delayMsMax: 2, preferredRows: [] };
    const together = simulateBatching({ ...usual, turnMs: 0.4, rule });
    const best = simulateBatching({ ...usual, turnMs: 0, rule });
    const whole = usual.runMs + (usual.rowMs + 0.4) * callers;
    expect(together.callsPerSecond).toBeGreaterThan(0.95 * best.callsPerSecond);
    expect(together.callsPerSecond).toBeGreaterThan((1.1 * 1_000 * callers) / whole);
    expect(together.p99Ms).toBeLessThan(whole);
  },
);

test("where a run is dear, callers who all come back together stay in one run", () => {
  const usual = { runMs: 5, rowMs: 0.05, callers: 8, pauseMs: 0.001, turnMs: 0.4, calls: 3_000 };
  const { rowsPerRun } = simulateBatching({ ...usual, rule: { delayMsMax: 2, preferredRows: [] } });
  expect(rowsPerRun).toBeGreaterThan(7.9);
});
