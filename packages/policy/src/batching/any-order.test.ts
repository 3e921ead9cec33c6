import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { far, World } from "../../../../test/support/batch-line.ts";
import { type BatchRule, cellsOf, end, oldestEvery, rowsOf, type Ticket } from "./index.ts";

const someCall = fc.record({
  rows: fc.integer({ min: 1, max: 10 }),
  length: fc.integer({ min: 1, max: 60 }),
  key: fc.constantFrom("a", "b", undefined),
  priority: fc.integer({ min: 0, max: 2 }),
  withinMs: fc.integer({ min: 0, max: 300 }),
});
const someEvent = fc.oneof(
  { weight: 5, arbitrary: someCall.map((made) => ({ kind: "arrive" as const, made })) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 30 }).map((ms) => ({ kind: "pass" as const, ms })) },
  { weight: 1, arbitrary: fc.nat(20).map((which) => ({ kind: "leave" as const, which })) },
);
type Event = typeof someEvent extends fc.Arbitrary<infer E> ? E : never;
const someRule = fc.record({
  rowsMax: fc.integer({ min: 1, max: 16 }),
  cellsMax: fc.integer({ min: 20, max: 500 }),
  paddingMax: fc.double({ min: 0, max: 0.9, noNaN: true }),
  preferredRows: fc.constantFrom([], [4], [2, 8]),
  delayMsMax: fc.integer({ min: 0, max: 20 }),
  waitingMax: fc.integer({ min: 1, max: 20 }),
  runningMax: fc.integer({ min: 1, max: 3 }),
});

describe("the line, whatever comes in whatever order,", () => {
  /** Everything that happened to each call that was let in. */
  function play(made: BatchRule, events: readonly Event[]) {
    const world = new World(made);
    const admitted: Ticket[] = [];
    const left: number[] = [];
    for (const event of events) {
      if (event.kind === "pass") world.pass(event.ms);
      else if (event.kind === "leave") {
        const ticket = world.line.waiting[event.which];
        if (ticket !== undefined) left.push(ticket.id);
        world.leave(ticket?.id ?? 0);
      } else {
        const { withinMs, ...rest } = event.made;
        const arrival = world.arrive({ ...rest, deadlineMs: world.nowMs + withinMs });
        if (arrival.kind === "waits") admitted.push(arrival.ticket);
        world.pump();
      }
    }
    for (let i = 0; i < 1_000 && (world.line.waiting.length > 0 || world.running.length > 0); i++) world.pass(20);
    return { world, admitted, left };
  }

  test("loses no call and runs none twice: each is run once, too late, pushed out, or gone", () => {
    fc.assert(
      fc.property(someRule, fc.array(someEvent, { maxLength: 80 }), (made, events) => {
        const { world, admitted, left } = play(made, events);
        const ends = [...world.batches.flat(), ...world.late, ...world.pushedOut].map(({ id }) => id).concat(left);
        expect(ends.toSorted((a, b) => a - b)).toEqual(admitted.map(({ id }) => id));
      }),
    );
  });

  test("makes no batch larger than the most, none of unlike shapes, and none of more padding than is allowed", () => {
    fc.assert(
      fc.property(someRule, fc.array(someEvent, { maxLength: 80 }), (made, events) => {
        for (const batch of play(made, events).world.batches) {
          expect(batch.length).toBeGreaterThan(0);
          if (batch.length === 1) continue;
          expect(rowsOf(batch)).toBeLessThanOrEqual(made.rowsMax);
          expect(cellsOf(batch)).toBeLessThanOrEqual(made.cellsMax);
          expect(new Set(batch.map(({ key }) => key)).size).toBe(1);
          expect(batch[0]?.key).toBeDefined();
          const used = batch.reduce((sum, { rows, length }) => sum + rows * length, 0);
          expect(cellsOf(batch) - used).toBeLessThanOrEqual(made.paddingMax * cellsOf(batch) + 1e-9);
        }
      }),
    );
  });

  test("runs no call after its deadline, and keeps no more waiting and running than it may", () => {
    fc.assert(
      fc.property(someRule, fc.array(someEvent, { maxLength: 80 }), (made, events) => {
        const world = new World(made);
        for (const event of events) {
          if (event.kind === "pass") world.nowMs += event.ms;
          if (event.kind === "arrive") {
            const { withinMs, ...rest } = event.made;
            world.arrive({ ...rest, deadlineMs: world.nowMs + withinMs });
          }
          expect(world.line.waiting.length).toBeLessThanOrEqual(made.waitingMax);
          const before = world.batches.length;
          world.pump();
          expect(world.line.running.length).toBeLessThanOrEqual(made.runningMax);
          for (const ticket of world.batches.slice(before).flat()) {
            expect(ticket.deadlineMs).toBeGreaterThan(world.nowMs);
          }
          const [first] = world.running.splice(0, 1);
          if (first !== undefined) world.line = end(world.line, first.run, first.batch, world.nowMs);
        }
      }),
    );
  });

  test("starves nobody: a call is run within four runs for each call that came before it, however urgent the others are", () => {
    fc.assert(
      fc.property(
        fc.array(someCall, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 0, max: 15 }),
        (calls, ahead) => {
          const world = new World({ rowsMax: 2, waitingMax: 1_000 });
          for (let i = 0; i < ahead; i++) world.arrive({ priority: 2 });
          const last = world.arrive({ priority: 2, deadlineMs: far + 1 });
          if (last.kind !== "waits") throw new Error("It was not let in.");
          // However many urgent ones come, two a run.
          for (let runs = 0; world.line.waiting.some(({ id }) => id === last.ticket.id); runs++) {
            expect(runs).toBeLessThanOrEqual(oldestEvery * (ahead + 1));
            for (const at of [0, 1]) {
              const { withinMs: _w, ...urgent } = calls[(2 * runs + at) % calls.length] ?? { withinMs: 0 };
              world.arrive({ ...urgent, priority: 0 });
            }
            world.pump();
            world.pass(1_000);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
