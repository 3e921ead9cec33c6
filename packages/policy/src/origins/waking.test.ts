import fc from "fast-check";
import { expect, test } from "vitest";
import { type Waking, type WakingTask, wakingLeaseMs, wakingTask } from "./waking.ts";

interface Isolate {
  readonly name: string;
  task?: WakingTask | undefined;
}

/** Isolates that poll in any order, some of which are cut off, over an origin that wakes when it was asked often enough. */
const walk = fc.array(fc.record({ isolate: fc.nat(4), ms: fc.nat(8_000), ends: fc.boolean(), awake: fc.boolean() }), {
  minLength: 1,
  maxLength: 100,
});

test("however isolates come, one of them alone asks, and who waited for a round hears how that one ended", () => {
  fc.assert(
    fc.property(walk, (steps) => {
      const isolates: Isolate[] = Array.from({ length: 5 }, (_, at) => ({ name: `i-${at}` }));
      let waking: Waking | undefined;
      let nowMs = 0;
      const ends = new Map<number, boolean>();
      for (const { isolate: at, ms, ends: over, awake } of steps) {
        nowMs += ms;
        const one = isolates[at];
        if (one === undefined) continue;
        const before = waking;
        const round = one.task?.round;
        const said = over && one.task?.kind === "ask" ? (awake ? "awake" : "failed") : undefined;
        const [task, next] = wakingTask(waking, { isolate: one.name, origin: one.name, round, ended: said }, nowMs);
        waking = next;
        one.task = task;
        if (task.kind === "ask") {
          // Nobody else may think that it is the one who asks, unless its time is over.
          const held = before?.kind === "waking" && before.holder !== one.name && nowMs < before.untilMs;
          expect(held).toBe(false);
        }
        if (task.kind === "ended") {
          ends.set(task.round, ends.get(task.round) ?? task.awake);
          expect(task.awake).toBe(ends.get(task.round));
          one.task = undefined;
        }
      }
    }),
  );
});

test("a thousand isolates that come at once are told of one origin, and one of them asks it", () => {
  let waking: Waking | undefined;
  const tasks = Array.from({ length: 1_000 }, (_, at) => {
    const [task, next] = wakingTask(waking, { isolate: `i-${at}`, origin: `o-${at}` }, at);
    waking = next;
    return task;
  });
  expect(tasks.filter(({ kind }) => kind === "ask")).toHaveLength(1);
  expect(new Set(tasks.map(({ origin }) => origin))).toEqual(new Set(["o-0"]));
});

test("another asks in the place of one that was cut off, and the same origin", () => {
  const [, waking] = wakingTask(undefined, { isolate: "a", origin: "eu-1" }, 0);
  const [task] = wakingTask(waking, { isolate: "b", origin: "us-1", round: 1 }, wakingLeaseMs);
  expect(task).toEqual({ kind: "ask", round: 1, origin: "eu-1" });
});

test("who comes after a round that failed begins another", () => {
  const [, waking] = wakingTask(undefined, { isolate: "a", origin: "eu-1" }, 0);
  const [told, failed] = wakingTask(waking, { isolate: "a", origin: "eu-1", round: 1, ended: "failed" }, 1);
  expect(told).toMatchObject({ kind: "ended", awake: false });
  expect(wakingTask(failed, { isolate: "b", origin: "eu-1", round: 1 }, 2)[0]).toMatchObject({ kind: "ended" });
  expect(wakingTask(failed, { isolate: "b", origin: "eu-1" }, 2)[0]).toMatchObject({ kind: "ask", round: 2 });
});
