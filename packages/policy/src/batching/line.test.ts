import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  arrive,
  type BatchCall,
  type BatchRule,
  cellsOf,
  emptyLine,
  end,
  type Line,
  leave,
  next,
  oldestEvery,
  rowsOf,
  type Ticket,
} from "./index.ts";

const rule: BatchRule = {
  rowsMax: 8,
  cellsMax: 1_000,
  paddingMax: 0.25,
  preferredRows: [],
  delayMsMax: 5,
  waitingMax: 64,
  runningMax: 1,
};
const far = 1e9;
const call: BatchCall = { rows: 1, length: 10, key: "a", priority: 1, deadlineMs: far };

/** A line under a clock of its own, with an engine whose runs take what `runMs` says. */
class World {
  line: Line = emptyLine;
  nowMs = 1_000;
  readonly batches: (readonly Ticket[])[] = [];
  readonly late: Ticket[] = [];
  readonly pushedOut: Ticket[] = [];
  readonly running: { readonly run: number; readonly batch: readonly Ticket[]; readonly endsMs: number }[] = [];
  readonly rule: BatchRule;
  readonly runMs: (cells: number) => number;
  wakeMs = Number.POSITIVE_INFINITY;

  constructor(more: Partial<BatchRule> = {}, runMs: (cells: number) => number = (cells) => 2 + cells / 10) {
    this.rule = { ...rule, ...more };
    this.runMs = runMs;
  }

  arrive(more: Partial<BatchCall> = {}) {
    const [arrival, line] = arrive(this.rule, this.line, { ...call, ...more }, this.nowMs);
    this.line = line;
    if (arrival.kind === "waits" && arrival.pushedOut !== undefined) this.pushedOut.push(arrival.pushedOut.ticket);
    return arrival;
  }

  leave(id: number) {
    this.line = leave(this.line, id);
  }

  pump() {
    this.wakeMs = Number.POSITIVE_INFINITY;
    for (;;) {
      const [step, late, line] = next(this.rule, this.line, this.nowMs);
      this.line = line;
      this.late.push(...late);
      if (step.kind === "wait") this.wakeMs = step.untilMs;
      if (step.kind !== "run") return step;
      this.batches.push(step.batch);
      this.running.push({ run: step.run, batch: step.batch, endsMs: this.nowMs + this.runMs(cellsOf(step.batch)) });
    }
  }

  /** Lets time pass, ending runs and waking the line in their order. */
  pass(ms: number) {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const first = this.running.toSorted((a, b) => a.endsMs - b.endsMs)[0];
      const at = Math.min(first?.endsMs ?? Number.POSITIVE_INFINITY, this.wakeMs);
      if (at > untilMs) break;
      this.nowMs = Math.max(this.nowMs, at);
      if (first !== undefined && first.endsMs <= this.nowMs) {
        this.running.splice(this.running.indexOf(first), 1);
        this.line = end(this.line, first.run, first.batch, this.nowMs);
      }
      this.pump();
    }
    this.nowMs = untilMs;
  }

  /** Begins a run of 3 ms that nobody shares. */
  occupy() {
    this.arrive({ key: undefined });
    this.pump();
    this.batches.length = 0;
  }

  /** Has seen that a run takes 2 ms and 0.1 ms more a cell. */
  learn() {
    for (const rows of [1, 8, 2, 4, 6]) {
      for (let i = 0; i < rows; i++) this.arrive();
      this.pump();
      this.pass(50);
    }
    this.batches.length = 0;
    return this;
  }
}

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

describe("a batch", () => {
  test("is led by the most urgent, and goes by the earliest deadline among those as urgent", () => {
    const world = new World({ rowsMax: 3 });
    world.occupy();
    const made = [
      { priority: 2, deadlineMs: 2_000 },
      { priority: 1, deadlineMs: 7_000 },
      { priority: 1, deadlineMs: 6_000 },
      { priority: 0, deadlineMs: 9_000 },
    ];
    for (const one of made) world.arrive(one);
    world.pass(100);
    expect(world.batches[0]?.map(({ priority, deadlineMs }) => [priority, deadlineMs])).toEqual([
      [0, 9_000],
      [1, 6_000],
      [1, 7_000],
    ]);
  });

  test("takes no mate that would make a call of it miss its deadline", () => {
    const world = new World().learn();
    world.occupy();
    // Alone 3 ms, with one more 4.
    world.arrive({ priority: 0, deadlineMs: world.nowMs + 3 + 3.5 });
    world.arrive();
    world.pass(100);
    expect(world.batches.map((batch) => batch.length)).toEqual([1, 1]);
    expect(world.late).toEqual([]);
  });

  test("is not filled up where that costs more than a run of its own", () => {
    const world = new World({ paddingMax: 0.9 }).learn();
    world.occupy();
    // A run costs what 20 cells do: 15 more for the padding of a shorter row are worth it, 30 are not.
    for (const length of [50, 35, 20]) world.arrive({ length });
    world.pass(100);
    expect(world.batches.map((batch) => batch.map(({ length }) => length))).toEqual([[50, 35], [20]]);
  });

  test("has a preferred size as soon as enough wait, and waits for one no longer than is allowed", () => {
    const world = new World({ preferredRows: [4, 8], rowsMax: 8, delayMsMax: 10 });
    for (let i = 0; i < 7; i++) {
      world.arrive();
      world.nowMs += 0.1;
    }
    world.pump();
    expect(world.batches.map((batch) => batch.length)).toEqual([4]);
    world.pass(6);
    expect(world.batches).toHaveLength(1);
    world.pass(10);
    expect(world.batches.map((batch) => batch.length)).toEqual([4, 3]);
  });
});

describe("an idle engine", () => {
  test("runs a call at once when calls are sparse", () => {
    const world = new World().learn();
    for (let i = 0; i < 20; i++) {
      world.arrive();
      const { kind } = world.pump();
      // A few calls after a crowd it is known that there is none any more.
      if (i > 5) expect(kind).toBe("rest");
      world.pass(100);
    }
    expect(world.batches).toHaveLength(20);
  });

  test("waits for mates while they come close together and a shared run saves more than the wait costs, and no longer", () => {
    const world = new World().learn();
    const crowd = () => {
      for (let i = 0; i < 7; i++) {
        world.arrive();
        world.pump();
        world.pass(0.1);
      }
      world.pass(50);
    };
    for (let i = 0; i < 10; i++) crowd();
    expect(world.batches.slice(-2).map((batch) => batch.length)).toEqual([7, 7]);
    const lone = world.nowMs;
    world.arrive();
    expect(world.pump().kind).toBe("wait");
    expect(world.wakeMs - lone).toBeLessThan(rule.delayMsMax);
  });

  test("waits for nobody where its time grows with every row", () => {
    const world = new World({}, (cells) => cells / 10).learn();
    for (let i = 0; i < 200; i++) {
      world.arrive();
      world.pass(0.1);
      expect(world.pump().kind).toBe("rest");
    }
  });
});

describe("a deadline", () => {
  test("that what a run takes lately cannot meet is refused at once, and one that can is not", () => {
    const world = new World().learn();
    expect(world.arrive({ deadlineMs: world.nowMs + 2.5 }).kind).toBe("late");
    expect(world.arrive({ deadlineMs: world.nowMs + 3.5 }).kind).toBe("waits");
  });

  test("refuses no call because it is far larger than any that was run: what such a one takes is not known", () => {
    const world = new World();
    for (const known of [world, new World().learn()]) {
      known.arrive();
      known.pump();
      known.pass(10);
      expect(known.arrive({ length: 1_000_000, deadlineMs: known.nowMs + 60_000 }).kind).toBe("waits");
    }
  });

  test("is counted from the end of the run that is under way", () => {
    const world = new World().learn();
    for (let i = 0; i < 8; i++) world.arrive();
    world.pump();
    // Ten for the eight, three for itself.
    expect(world.arrive({ deadlineMs: world.nowMs + 12 }).kind).toBe("late");
    expect(world.arrive({ deadlineMs: world.nowMs + 14 }).kind).toBe("waits");
  });

  test("that cannot be met any more once others went first leaves the line unrun", () => {
    const world = new World({ rowsMax: 1 }).learn();
    world.arrive();
    world.pump();
    world.arrive({ priority: 0, deadlineMs: far - 1 });
    const second = world.arrive({ priority: 1, deadlineMs: world.nowMs + 7 });
    expect(second.kind).toBe("waits");
    world.pass(100);
    expect(world.late.map(({ id }) => id)).toEqual(second.kind === "waits" ? [second.ticket.id] : []);
    expect(world.batches).toHaveLength(2);
  });

  test("is believed again after a second without a run, so what was once slow is not refused for ever", () => {
    let runMs = 500;
    const world = new World({}, () => runMs).learn();
    world.pass(500);
    runMs = 1;
    expect(world.arrive({ deadlineMs: world.nowMs + 100 }).kind).toBe("late");
    world.pass(1_000);
    let refused = 0;
    for (let i = 0; i < 100; i++) {
      if (world.arrive({ deadlineMs: world.nowMs + 100 }).kind === "late") refused++;
      world.pump();
      world.pass(200);
    }
    expect(world.arrive({ deadlineMs: world.nowMs + 100 }).kind).toBe("waits");
    expect(refused).toBeLessThan(80);
  });
});

describe("a full line", () => {
  test("refuses who is no more urgent than those in it, and changes nothing for them", () => {
    const world = new World({ waitingMax: 2 });
    world.arrive();
    world.pump();
    world.arrive();
    world.arrive();
    const { waiting } = world.line;
    expect(world.arrive()).toMatchObject({ kind: "full", retryAfterMs: expect.any(Number) });
    expect(world.line.waiting).toEqual(waiting);
  });

  test("lets an urgent call in for the newest of the least urgent, which is told when to come back", () => {
    const world = new World({ waitingMax: 3 });
    world.arrive();
    world.pump();
    const ids = [2, 1, 2].map((priority) => {
      const arrival = world.arrive({ priority });
      return arrival.kind === "waits" ? arrival.ticket.id : 0;
    });
    const urgent = world.arrive({ priority: 0 });
    expect(urgent).toMatchObject({
      kind: "waits",
      pushedOut: { ticket: { id: ids[2] }, retryAfterMs: expect.any(Number) },
    });
    expect(world.line.waiting).toHaveLength(3);
  });
});
