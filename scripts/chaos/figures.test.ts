import { describe, expect, test } from "vitest";
import type { Call } from "./callers.ts";
import { amplificationOf, dealt, failoverMsOf, ratioOf, recoveryMsOf, sumOf, tallyOf } from "./figures.ts";

const call = (startedMs: number, endedMs: number, more: Partial<Call> = {}): Call => ({
  id: `${startedMs}`,
  kind: "chat",
  verdict: "right",
  startedMs,
  endedMs,
  ...more,
});
const told = { verdict: "told", code: "upstream_failed" } as const;
const spell = { beganMs: 100, endedMs: 200, watchedMs: 400 };

test("a call that began in calm and that the fault met counts for the fault", () => {
  const calls = [call(0, 50), call(90, 110), call(150, 250), call(210, 230)];
  const { calm, during, after } = dealt(calls, spell);
  expect([calm, during, after].map((some) => some.map(({ id }) => id))).toEqual([["0"], ["90", "150"], ["210"]]);
});

describe("time until calls succeed again", () => {
  test("while the fault lasts is until the last failure, and nothing where failures go on", () => {
    expect(failoverMsOf([call(90, 105, told), call(101, 120, told), call(130, 190)], spell)).toBe(20);
    expect(failoverMsOf([call(101, 190, told)], spell)).toBeNaN();
    expect(failoverMsOf([call(101, 190)], spell)).toBe(0);
  });

  test("after it is until the last failure and the first answer of who had failed, whichever is later", () => {
    const back = ({ origin }: Call) => origin === "near-1";
    const near = call(240, 250, { origin: "near-1" });
    expect(recoveryMsOf([call(201, 210, { origin: "far-1" }), near], spell, back)).toBe(50);
    expect(recoveryMsOf([near, call(255, 300, told)], spell, back)).toBe(100);
    expect(recoveryMsOf([call(201, 210, { origin: "far-1" })], spell, back)).toBeNaN();
  });
});

test("what is wrong, duplicated or silent is counted apart from what was told, and times are those of right answers", () => {
  const calls = [call(0, 10), call(0, 30), call(0, 900, told), call(0, 1, { verdict: "silent" })];
  expect(tallyOf(calls)).toEqual({
    calls: 4,
    right: 2,
    told: { upstream_failed: 1 },
    wrong: 0,
    duplicated: 0,
    silent: 1,
    p50Ms: 20,
    p99Ms: expect.closeTo(29.8),
  });
});

test("a call that reached no origin does not thin out the requests of those that did, and hedges are no retries", () => {
  const calls = [call(1, 2), call(2, 3), call(3, 4, { kind: "tensors" }), call(4, 5, told)];
  const sent = amplificationOf(
    calls,
    new Map([
      ["1", { requests: 1, hedges: 0 }],
      ["2", { requests: 2, hedges: 0 }],
      ["3", { requests: 2, hedges: 1 }],
    ]),
  );
  expect(sent).toEqual({ calls: 3, requests: 4, hedges: 1 });
  expect([ratioOf(sent), ratioOf(sumOf([sent, sent])), ratioOf(sumOf([]))]).toEqual([4 / 3, 4 / 3, 1]);
});
