import { freshMeter, type MeterAsk, type MeterState, meterStep } from "@ledge/policy";
import { expect, test } from "vitest";
import { grantChanges } from "./meter-changes.ts";

const limits = { in_flight: 100 };

function after(state: MeterState, lease: string, more: Partial<MeterAsk> = {}): MeterState {
  const ask = {
    lease,
    call: { in_flight: 1 },
    calls: 1,
    ahead: false,
    sure: true,
    holdMs: 1_000,
    settlements: [],
    ...more,
  };
  return meterStep(limits, state, 1_700_000_000_000, ask)[1];
}

test("what is written of a meter's grants is what an ask changed of them", () => {
  const one = after(freshMeter, "one");
  const two = after(one, "two", { calls: 2 });
  expect(grantChanges(one, two)).toMatchObject({ puts: [{ lease: "two" }], deletes: [] });
  const settlements = [
    { lease: "one", spent: {}, freed: { in_flight: 1 }, agoMs: 0 },
    { lease: "two", spent: {}, freed: { in_flight: 1 }, agoMs: 0 },
  ];
  const settled = after(two, "", { calls: 0, settlements });
  expect(grantChanges(two, settled)).toMatchObject({ puts: [{ lease: "two" }], deletes: ["one"] });
  expect(grantChanges(settled, after(settled, "", { calls: 0 }))).toEqual({ puts: [], deletes: [] });
});
