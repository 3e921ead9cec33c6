import { describe, expect, test } from "vitest";
import { type FairnessScenario, simulateFairness } from "../../scripts/simulate/fairness.ts";

/** What one tenant's burst does to three others, who ask for a fifth of a tier each, on virtual time. */

const usual: FairnessScenario = {
  slots: 64,
  waitingMax: 256,
  callMs: 100,
  others: [0.2, 0.2, 0.2],
  burst: 0,
  order: "shares",
  calls: 3_000,
  seed: 1,
};
const names = usual.others.map((_, i) => `other-${i}`);

/** The worst of the others' p99 over their p99 alone, and how many of their calls were refused. */
function harm(changed: Partial<FairnessScenario>) {
  const alone = simulateFairness({ ...usual, ...changed, burst: 0 });
  const beside = simulateFairness({ ...usual, ...changed });
  const ratios = names.map((name) => (beside[name]?.p99Ms ?? Number.NaN) / (alone[name]?.p99Ms ?? Number.NaN));
  return { worst: Math.max(...ratios), refused: names.reduce((sum, name) => sum + (beside[name]?.refused ?? 0), 0) };
}

describe("one tenant's burst", () => {
  test.each([
    [16, 2],
    [16, 10],
    [64, 2],
    [64, 10],
  ])(
    "leaves others' p99 within 1.5 times of alone, before a tier of %i calls at once, at %i times what it can do",
    (slots, burst) => {
      const { worst, refused } = harm({ slots, burst });
      expect(worst).toBeLessThan(1.5);
      expect(refused).toBe(0);
    },
  );

  test.each([
    ["4 calls at once", { slots: 4 }],
    ["8 calls at once", { slots: 8 }],
    ["one run of 32 at once that costs hardly more than of one", { slots: 1, batchRowsMax: 32, runMs: 100, callMs: 1 }],
  ])("leaves others' p99 within 1.5 times of alone, before a tier of %s", (_, tier) => {
    const { worst, refused } = harm({ ...tier, burst: 10 });
    expect(worst).toBeLessThan(1.5);
    expect(refused).toBe(0);
  });

  test.each([
    ["2 calls at once", { slots: 2 }],
    ["one run at once, of 4 that cost a transformer's time a row", { slots: 1, batchRowsMax: 4, runMs: 3, callMs: 12 }],
  ])("is felt by others hardly more than if they always went first, before a tier of %s", (_, tier) => {
    const shares = harm({ ...tier, burst: 10 });
    const first = harm({ ...tier, burst: 10, order: "others-first" });
    expect(shares.worst).toBeLessThan(first.worst * 1.25);
    expect(shares.refused).toBe(0);
  });

  test("would not leave them so if whoever came first were served first", () => {
    const { worst, refused } = harm({ slots: 16, burst: 10, order: "first-come" });
    expect(worst).toBeGreaterThan(4);
    expect(refused).toBeGreaterThan(0);
  });

  test("gets what the others leave: nothing of the tier is idle while it waits", () => {
    const { burst, ...others } = simulateFairness({ ...usual, burst: 10 });
    const answered = Object.values(others).reduce((sum, { answered: calls }) => sum + calls, 0);
    expect(burst?.answered).toBeGreaterThan(answered * 0.25);
  });
});
