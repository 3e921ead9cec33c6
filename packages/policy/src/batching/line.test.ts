import { describe, expect, test } from "vitest";
import { far, rule, World } from "../../../../test/support/batch-line.ts";
import type { BatchRule } from "./index.ts";

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
    const runs = world.batches.length;
    for (let i = 0; i < 200; i++) {
      world.arrive();
      world.pass(0.1);
      expect(world.pump().kind).toBe("rest");
    }
    expect(world.batches.length).toBeGreaterThan(runs);
  });

  test("waits for those whom it has just answered when they ask again soon, so that they do not split into groups that take turns", () => {
    const world = new World({}, (cells) => 5 + cells / 200);
    // Two callers who ask again a third of a millisecond after they were answered.
    let asked = 0;
    const ask = (count: number) => {
      for (let i = 0; i < count; i++) world.arrive({ key: "a" });
      asked += count;
      world.pump();
    };
    ask(1);
    world.pass(0.3);
    ask(1);
    for (let round = 0; round < 60; round++) {
      const ended = world.batches.length - world.running.length;
      while (world.batches.length - world.running.length === ended) world.pass(0.01);
      const answered = world.batches[ended]?.length ?? 0;
      world.pass(0.33);
      ask(answered);
    }
    expect(asked).toBeGreaterThan(60);
    expect(world.batches.slice(-20, -1).every((batch) => batch.length === 2)).toBe(true);
  });
});

describe("callers who all come back together, while the engine stands still,", () => {
  /** Eight of them, back 3 ms after they were answered: as a run takes 0.5 ms and 1 ms a row, it stands still for a third of its time. */
  function lockstep(more: Partial<BatchRule> = {}, deadlineMs = (nowMs: number) => nowMs + far) {
    const world = new World(more, (cells) => 0.5 + cells / 10);
    play(world, deadlineMs);
    return sizesOf(world);
  }

  const sizesOf = (world: World) => world.batches.slice(-12).map((batch) => batch.length);

  function play(world: World, deadlineMs = (nowMs: number) => nowMs + far) {
    const due: { atMs: number; calls: number }[] = [{ atMs: world.nowMs, calls: 8 }];
    let ended = world.batches.length;
    for (const untilMs = world.nowMs + 400; world.nowMs < untilMs; world.pass(0.25)) {
      for (; ended < world.batches.length - world.running.length; ended++) {
        due.push({ atMs: world.nowMs + 3, calls: world.batches[ended]?.length ?? 0 });
      }
      for (const back of due.filter(({ atMs }) => atMs <= world.nowMs)) {
        for (let i = 0; i < back.calls; i++) world.arrive({ deadlineMs: deadlineMs(world.nowMs) });
        due.splice(due.indexOf(back), 1);
      }
      world.pump();
    }
    world.pass(100);
  }

  test("do so after a long pause too: how long one stayed away once says nothing of the next time", () => {
    const world = new World({}, (cells) => 0.5 + cells / 10);
    play(world);
    world.pass(600_000);
    const before = world.batches.length;
    play(world);
    expect(world.batches.slice(before + 2).map((batch) => batch.length)).not.toContain(8);
  });

  test("share two runs that take turns, so that it has work while some of them are away", () => {
    expect(Math.max(...lockstep())).toBeLessThan(8);
  });

  test("stay in one run where it was told which sizes it likes", () => {
    expect(lockstep({ preferredRows: [8] })).toEqual(Array(12).fill(8));
  });

  test("stay in one run where those who were left for the next would miss their deadline", () => {
    // All of them take 8.5 ms, two runs half a millisecond more.
    expect(Math.min(...lockstep({}, (nowMs) => nowMs + 8.75))).toBe(8);
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
