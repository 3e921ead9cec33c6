import type { Result } from "@ledge/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Gate, type Permit } from "./gate.ts";

const never = new AbortController().signal;

function permitOf(result: Result<Permit>): Permit {
  if (!result.ok) throw new Error(`refused: ${result.fault.code}`);
  return result.value;
}

test("more calls than may run and wait are refused with a time to come back", async () => {
  const gate = new Gate({ runningMax: 1, waitingMax: 1 }, () => 0);
  permitOf(await gate.enter(never));
  void gate.enter(never);
  expect(await gate.enter(never)).toMatchObject({ fault: { code: "overloaded", retryAfterMs: 2000 } });
});

test("the time to come back follows how long calls really take", async () => {
  let nowMs = 0;
  const gate = new Gate({ runningMax: 1, waitingMax: 0 }, () => nowMs);
  for (let call = 0; call < 100; call++) {
    const permit = permitOf(await gate.enter(never));
    nowMs += 200;
    permit.leave();
  }
  permitOf(await gate.enter(never));
  const refused = await gate.enter(never);
  expect(refused.ok ? 0 : refused.fault.retryAfterMs).toBeCloseTo(200, -1);
});

test("a waiting call whose deadline passes leaves the line and is told so", async () => {
  const gate = new Gate({ runningMax: 1, waitingMax: 4 }, () => 0);
  permitOf(await gate.enter(never));
  const caller = new AbortController();
  const waiting = gate.enter(caller.signal);
  caller.abort("deadline");
  expect(await waiting).toMatchObject({ fault: { code: "deadline_exceeded" } });
  expect(gate.waiting).toBe(0);
});

test("those who wait are served in the order they came", async () => {
  const gate = new Gate({ runningMax: 1, waitingMax: 3 }, () => 0);
  let current = permitOf(await gate.enter(never));
  const served: number[] = [];
  const line = [0, 1, 2].map(async (index) => {
    const permit = permitOf(await gate.enter(never));
    served.push(index);
    current = permit;
  });
  for (const done of line) {
    current.leave();
    await done;
  }
  expect(served).toEqual([0, 1, 2]);
});

test("a permit given back twice frees one slot", async () => {
  const gate = new Gate({ runningMax: 2, waitingMax: 0 }, () => 0);
  const first = permitOf(await gate.enter(never));
  permitOf(await gate.enter(never));
  first.leave();
  first.leave();
  expect(gate.running).toBe(1);
});

test("whatever the order of arrivals, departures and cancellations, the bounds hold and no slot is lost", async () => {
  const step = fc.constantFrom("enter", "leave", "cancel");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const gate = new Gate({ runningMax: 2, waitingMax: 3 }, () => 0);
      const held: Permit[] = [];
      const callers: AbortController[] = [];
      for (const what of steps) {
        if (what === "enter") {
          const caller = new AbortController();
          callers.push(caller);
          void gate.enter(caller.signal).then((result) => result.ok && held.push(result.value));
        } else if (what === "leave") held.shift()?.leave();
        else callers.shift()?.abort("disconnected");
        await Promise.resolve();
        await Promise.resolve();
        expect(gate.running).toBeLessThanOrEqual(2);
        expect(gate.waiting).toBeLessThanOrEqual(3);
        expect(held.length).toBe(gate.running);
      }
      while (held.length > 0) {
        held.shift()?.leave();
        await Promise.resolve();
        await Promise.resolve();
      }
      expect([gate.running, gate.waiting]).toEqual([0, 0]);
    }),
  );
});

test("who waits for a gate to be idle is told once the last has left", async () => {
  const gate = new Gate({ runningMax: 1, waitingMax: 1 }, () => 0);
  await gate.whenIdle();
  const first = permitOf(await gate.enter(never));
  const second = gate.enter(never);
  let idle = false;
  const told = gate.whenIdle().then(() => {
    idle = true;
  });
  first.leave();
  const last = permitOf(await second);
  expect(idle).toBe(false);
  last.leave();
  await told;
});
