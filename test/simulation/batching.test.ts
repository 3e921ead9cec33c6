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
