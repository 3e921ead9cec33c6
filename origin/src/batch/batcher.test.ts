import { fail, ok, type Result } from "@ledge/contract";
import type { BatchRule } from "@ledge/policy/batching";
import { beforeEach, describe, expect, test } from "vitest";
import { Batcher } from "./batcher.ts";

const rule: BatchRule = {
  rowsMax: 8,
  cellsMax: 1_000,
  paddingMax: 0.5,
  preferredRows: [],
  delayMsMax: 5,
  waitingMax: 16,
  runningMax: 1,
};

/** A clock and an engine under the test's control. A call of these tests brings a number, and its answer is the number again. */
class World {
  nowMs = 1_000;
  readonly runs: (readonly number[])[] = [];
  readonly signals: AbortSignal[] = [];
  /** Numbers that break the run they are in, with these codes. */
  readonly bad = new Map<number, Result<never>>();
  /** While set, runs end when the test lets them. */
  isHeld = false;
  readonly #held: (() => void)[] = [];
  #wakes: { readonly atMs: number; readonly wake: () => void }[] = [];
  readonly batcher: Batcher<number, number>;

  constructor(more: Partial<BatchRule> = {}) {
    this.batcher = new Batcher(
      { ...rule, ...more },
      {
        nowMs: () => this.nowMs,
        wakeIn: (ms, wake) => {
          const due = { atMs: this.nowMs + ms, wake };
          this.#wakes.push(due);
          return () => {
            this.#wakes = this.#wakes.filter((each) => each !== due);
          };
        },
        run: async (items, signal) => {
          // As an engine does that has some promises before it.
          for (let hop = 0; hop < 3; hop++) await Promise.resolve();
          this.runs.push(items);
          this.signals.push(signal);
          if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
          const fault = items.map((item) => this.bad.get(item)).find((each) => each !== undefined);
          return fault ?? ok(items);
        },
      },
    );
  }

  submit(item: number, more: { priority?: number; deadlineMs?: number; signal?: AbortSignal } = {}) {
    const { signal = new AbortController().signal, priority = 1, deadlineMs = 1e9 } = more;
    const answer = this.batcher.submit({ item, rows: 1, length: 1, key: "a", priority, deadlineMs }, signal);
    return answer.then((got) => (got.ok ? got.value.answer : got.fault.code));
  }

  /** Lets what is due happen, and all that follows from it. */
  async settle(ms = 0): Promise<void> {
    this.nowMs += ms;
    for (;;) {
      const due = this.#wakes.filter(({ atMs }) => atMs <= this.nowMs);
      this.#wakes = this.#wakes.filter(({ atMs }) => atMs > this.nowMs);
      for (const { wake } of due) wake();
      await new Promise((resolve) => setImmediate(resolve));
      if (due.length === 0) return;
    }
  }

  async letGo(): Promise<void> {
    for (const go of this.#held.splice(0)) go();
    await this.settle();
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe("calls that share a run", () => {
  test("each get their own answer, in whatever order they came", async () => {
    const answers = [5, 3, 9].map((item) => world.submit(item));
    await world.settle();
    expect(await Promise.all(answers)).toEqual([5, 3, 9]);
    expect(world.runs).toEqual([[5, 3, 9]]);
  });

  test("are those that came while the run before was under way", async () => {
    world.isHeld = true;
    const first = world.submit(1);
    await world.settle();
    const rest = [2, 3].map((item) => world.submit(item));
    await world.settle();
    expect([world.batcher.running, world.batcher.waiting]).toEqual([1, 2]);
    await world.letGo();
    await world.letGo();
    expect(await Promise.all([first, ...rest])).toEqual([1, 2, 3]);
    expect(world.runs).toEqual([[1], [2, 3]]);
    expect([world.batcher.running, world.batcher.waiting]).toEqual([0, 0]);
  });

  test("are answered when the next run is with the engine, not before: what it takes to write answers keeps nobody waiting", async () => {
    const begun: number[] = [];
    world.isHeld = true;
    const first = world.submit(1).then(() => begun.push(world.runs.length));
    await world.settle();
    const second = world.submit(2);
    await world.settle();
    await world.letGo();
    await world.settle();
    await first;
    expect(begun).toEqual([2]);
    await world.letGo();
    await second;
  });

  test("are counted once as a run and each as a call, by rows and by the time they waited", async () => {
    world.isHeld = true;
    const all = [world.submit(1)];
    await world.settle();
    all.push(world.submit(2), world.submit(3));
    world.nowMs += 30;
    await world.letGo();
    await world.letGo();
    await Promise.all(all);
    const { rows, queueS } = world.batcher.figures;
    expect([rows.sum, rows.counts.slice(0, 3)]).toEqual([3, [1, 1, 0]]);
    expect(queueS.sum).toBeCloseTo(0.06);
    expect(queueS.counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  });
});

describe("a caller who leaves", () => {
  test("before the run is not run", async () => {
    world.isHeld = true;
    const first = world.submit(1);
    await world.settle();
    const caller = new AbortController();
    const left = world.submit(2, { signal: caller.signal });
    const stays = world.submit(3);
    caller.abort("disconnected");
    expect(await left).toBe("deadline_exceeded");
    await world.letGo();
    await world.letGo();
    expect(await Promise.all([first, stays])).toEqual([1, 3]);
    expect(world.runs).toEqual([[1], [3]]);
  });

  test("during the run leaves the others as they are, and the run is called off when the last has gone", async () => {
    world.isHeld = true;
    const callers = [new AbortController(), new AbortController()];
    const answers = callers.map(({ signal }, item) => world.submit(item, { signal }));
    await world.settle();
    callers[0]?.abort("disconnected");
    expect(await answers[0]).toBe("deadline_exceeded");
    expect(world.signals[0]?.aborted).toBe(false);
    callers[1]?.abort("deadline");
    expect(world.signals[0]?.aborted).toBe(true);
    await world.letGo();
    expect(await answers[1]).toBe("deadline_exceeded");
  });
});

describe("a bad item", () => {
  test("fails alone, and no good one is run more often than halving takes", async () => {
    world.bad.set(5, fail("invalid_shape"));
    const answers = Array.from({ length: 8 }, (_, item) => world.submit(item));
    await world.settle();
    expect(await Promise.all(answers)).toEqual([0, 1, 2, 3, 4, "invalid_shape", 6, 7]);
    for (let item = 0; item < 8; item++) {
      expect(world.runs.filter((run) => run.includes(item)).length).toBeLessThanOrEqual(4);
    }
  });

  test("that breaks the engine each time fails alone too", async () => {
    for (const item of [0, 5]) world.bad.set(item, fail("upstream_failed"));
    const answers = Array.from({ length: 8 }, (_, item) => world.submit(item));
    await world.settle();
    expect(await Promise.all(answers)).toEqual(["upstream_failed", 1, 2, 3, 4, "upstream_failed", 6, 7]);
  });

  test("is not looked for when the engine is full or gone: everybody hears so at once", async () => {
    world.bad.set(1, fail("origin_unavailable"));
    const answers = [1, 2, 3].map((item) => world.submit(item));
    await world.settle();
    expect(await Promise.all(answers)).toEqual(new Array(3).fill("origin_unavailable"));
    expect(world.runs).toHaveLength(1);
  });

  test("is not run again for who has gone meanwhile", async () => {
    world.isHeld = true;
    world.bad.set(1, fail("upstream_failed"));
    const caller = new AbortController();
    const answers = [world.submit(1), world.submit(2, { signal: caller.signal }), world.submit(3)];
    await world.settle();
    caller.abort("disconnected");
    for (let i = 0; i < 4; i++) await world.letGo();
    expect(await Promise.all(answers)).toEqual(["upstream_failed", "deadline_exceeded", 3]);
    expect(world.runs.slice(1).flat()).not.toContain(2);
  });
});

test("a bug in a run is thrown to each of its callers, and the next calls are run", async () => {
  const thrown = new Map<number, Result<never>>();
  Object.defineProperty(thrown, "get", {
    value: () => {
      throw new Error("a bug");
    },
  });
  Object.assign(world, { bad: thrown });
  const answers = Promise.allSettled([world.submit(1), world.submit(2)]);
  await world.settle();
  expect((await answers).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  Object.assign(world, { bad: new Map() });
  const next = world.submit(3);
  await world.settle();
  expect(await next).toBe(3);
});

test("a call that could not be answered in time any more is refused before it is run", async () => {
  world.isHeld = true;
  const first = world.submit(1);
  await world.settle();
  world.nowMs += 100;
  await world.letGo();
  expect(await world.submit(2, { deadlineMs: world.nowMs + 50 })).toBe("deadline_exceeded");
  expect(await first).toBe(1);
  expect(world.runs).toEqual([[1]]);
  expect(world.batcher.figures.refused).toEqual({ full: 0, late: 1 });
});

test("a full line refuses with a time to come back, and an urgent call takes the place of one that is less so", async () => {
  world = new World({ waitingMax: 1 });
  world.isHeld = true;
  const first = world.submit(1);
  await world.settle();
  const low = world.submit(2, { priority: 2 });
  const call = { item: 3, rows: 1, length: 1, key: "a", priority: 2, deadlineMs: 1e9 };
  const refused = await world.batcher.submit(call, new AbortController().signal);
  expect(refused).toMatchObject({ ok: false, fault: { code: "overloaded", retryAfterMs: 1_000 } });
  const high = world.submit(4, { priority: 0 });
  expect(await low).toBe("overloaded");
  await world.letGo();
  await world.letGo();
  expect(await Promise.all([first, high])).toEqual([1, 4]);
  expect(world.batcher.figures.refused.full).toBe(2);
});

test("a call that waits for mates is run when they have come, or when the wait is over", async () => {
  world = new World({ preferredRows: [2], rowsMax: 2, delayMsMax: 5 });
  const both = [world.submit(1), world.submit(2)];
  await world.settle();
  expect(await Promise.all(both)).toEqual([1, 2]);
  world.nowMs += 1;
  const lone = world.submit(3);
  await world.settle();
  expect(world.runs).toEqual([[1, 2]]);
  await world.settle(4);
  expect(world.runs).toHaveLength(1);
  await world.settle(1);
  expect(await lone).toBe(3);
});
