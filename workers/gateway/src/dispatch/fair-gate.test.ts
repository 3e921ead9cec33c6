import { ok, type Result } from "@ledge/contract";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FairGate, type FairGateRule } from "./fair-gate.ts";

/** Calls that hold their turn until the test lets them go. */
function scene(rule: FairGateRule) {
  const gate = new FairGate(rule, Date.now);
  const running: { readonly of: string; readonly end: () => void }[] = [];
  const codes: (string | undefined)[] = [];
  let most = 0;
  function call(of: string, weight = 1, deadlineMs = Date.now() + 60_000): Promise<Result<string>> {
    const answer = gate.pass({ deadlineMs, share: { of, weight } }, async () => {
      await new Promise<void>((resolve) => running.push({ of, end: resolve }));
      return ok(of);
    });
    void answer.then((result) => codes.push(result.ok ? undefined : result.fault.code));
    return answer;
  }
  async function settle() {
    await vi.advanceTimersByTimeAsync(0);
    most = Math.max(most, running.length);
  }
  async function endNext(): Promise<string | undefined> {
    const next = running.shift();
    next?.end();
    await settle();
    return next?.of;
  }
  return { gate, call, settle, endNext, running, codes, most: () => most };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("before the origin", () => {
  test("no more calls are under way than the bound, no more wait than the bound, and the rest are refused at once", async () => {
    const { call, settle, running, codes } = scene({ inFlightMax: 2, waitingMax: 3 });
    for (let i = 0; i < 9; i++) void call("a");
    await settle();
    expect(running.length).toBe(2);
    expect(codes).toEqual(["overloaded", "overloaded", "overloaded", "overloaded"]);
  });

  test("a newcomer goes before the rest of a burst that came first", async () => {
    const { call, settle, endNext, running } = scene({ inFlightMax: 1, waitingMax: 100 });
    for (let i = 0; i < 50; i++) void call("a");
    void call("b");
    await settle();
    expect([await endNext(), await endNext(), running[0]?.of]).toEqual(["a", "a", "b"]);
  });

  test("a newcomer takes a place of a burst that filled the room: the burst is refused, not the newcomer", async () => {
    const { call, settle, codes, endNext } = scene({ inFlightMax: 1, waitingMax: 4 });
    for (let i = 0; i < 5; i++) void call("a");
    await settle();
    void call("b");
    await settle();
    expect(codes).toEqual(["overloaded"]);
    expect([await endNext(), await endNext(), await endNext()]).toContain("b");
  });

  test("a refusal says how long those who wait will take at the pace of the last calls", async () => {
    const { call, settle, endNext } = scene({ inFlightMax: 1, waitingMax: 4 });
    for (let i = 0; i < 100; i++) {
      void call("a");
      await settle();
      await vi.advanceTimersByTimeAsync(2_000);
      await endNext();
    }
    for (let i = 0; i < 5; i++) void call("a");
    const refused = await call("a");
    const retryAfterMs = refused.ok ? 0 : (refused.fault.retryAfterMs ?? 0);
    expect(refused).toMatchObject({ fault: { code: "overloaded" } });
    expect(retryAfterMs).toBeGreaterThan(9_900);
    expect(retryAfterMs).toBeLessThanOrEqual(10_000);
  });

  test("who waits past its deadline is told so and leaves its place", async () => {
    const { call, settle, endNext, running } = scene({ inFlightMax: 1, waitingMax: 1 });
    void call("a");
    const late = call("b", 1, Date.now() + 500);
    await vi.advanceTimersByTimeAsync(600);
    expect(await late).toMatchObject({ fault: { code: "deadline_exceeded" } });
    void call("c");
    await settle();
    await endNext();
    expect(running[0]?.of).toBe("c");
  });

  test("a call that was cut off and never gives its turn back loses it at its deadline", async () => {
    const { call, settle, running } = scene({ inFlightMax: 1, waitingMax: 4 });
    void call("gone", 1, Date.now() + 2_000);
    void call("b");
    await settle();
    expect(running.map(({ of }) => of)).toEqual(["gone"]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(running.map(({ of }) => of)).toEqual(["gone", "b"]);
  });

  test("whatever comes and goes, every call ends once, and the bound is held", async () => {
    const arrivals = fc.array(fc.record({ of: fc.constantFrom("a", "b", "c"), end: fc.boolean() }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(arrivals, async (steps) => {
        const { call, settle, endNext, codes, most, running } = scene({ inFlightMax: 2, waitingMax: 5 });
        for (const { of, end } of steps) {
          void call(of);
          await settle();
          if (end) await endNext();
        }
        while (running.length > 0) await endNext();
        expect(codes.length).toBe(steps.length);
        expect(most()).toBeLessThanOrEqual(2);
      }),
      { numRuns: 30 },
    );
  });
});
