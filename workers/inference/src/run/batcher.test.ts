import { fail, ok, type Result } from "@ledge/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batcher, type BatcherPorts } from "./batcher.ts";

const rule = { waitingRowsMax: 256, batchRowsMax: 8 };

/** An event loop under the test's control: hops wait until it lets them go, one at a time, in any order it likes. */
class Loop {
  readonly #waiting: (() => void)[] = [];

  readonly hop = () => new Promise<void>((resolve) => void this.#waiting.push(resolve));

  get size(): number {
    return this.#waiting.length;
  }

  /** Lets one call come back, and everything that follows from it happen. */
  async step(which = 0): Promise<void> {
    this.#waiting.splice(which, 1)[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets everyone come back in the same turn, as calls of one request do. */
  async stepAll(): Promise<void> {
    for (const go of this.#waiting.splice(0)) go();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** A caller who goes away: its hop never ends. */
  drop(which: number): void {
    this.#waiting.splice(which, 1);
  }

  /** Also lets those go on who run without a hop. */
  async drain(): Promise<void> {
    do await this.step();
    while (this.size > 0);
  }
}

/** A call of these tests brings ids, and its answer is the ids again, so that a mix-up of rows shows. */
type Ids = readonly number[];
type Calls = readonly Ids[];
type TestBatcher = Batcher<Ids, Ids>;

function batcherOf(loop: Loop, runs: Calls[], more: Partial<BatcherPorts<Ids, Ids>> = {}): TestBatcher {
  let ran: number[] = [];
  const executions = () => ran.splice(0);
  const run = async (calls: Calls): Promise<Result<Calls>> => {
    runs.push(calls);
    ran = [calls.flat().length];
    return (await more.run?.(calls)) ?? ok(calls);
  };
  const turn = { running: 0, begun: 0 };
  return new Batcher({ hop: loop.hop, now: () => 0, unixMs: () => 0, turn, executions, ...more, run });
}

const callOf = (ids: Ids, more: { readonly key?: string; readonly deadlineMs?: number } = {}) => ({
  item: ids,
  rows: ids.length,
  key: "same",
  ...more,
});
const idsOf = (answer: Awaited<ReturnType<TestBatcher["submit"]>>) =>
  answer.ok ? [...answer.value.answer] : answer.fault.code;

/** Until the next call runs without a hop. */
async function comeOneByOne(batcher: TestBatcher, loop: Loop): Promise<void> {
  for (const id of [1, 2, 3, 4]) {
    const answer = batcher.submit(callOf([id]), rule);
    await loop.drain();
    await answer;
  }
}

describe("the batcher", () => {
  test("puts calls that wait together into one run and gives each its own rows", async () => {
    const loop = new Loop();
    const runs: Calls[] = [];
    const batcher = batcherOf(loop, runs);
    const answers = [[1], [2, 3], [4]].map((ids) => batcher.submit(callOf(ids), rule));
    await loop.drain();
    expect((await Promise.all(answers)).map(idsOf)).toEqual([[1], [2, 3], [4]]);
    expect(runs).toEqual([[[1], [2, 3], [4]]]);
  });

  test("answers everyone right in any order of arrivals and wake-ups, whoever goes away", async () => {
    const script = fc.array(fc.record({ act: fc.constantFrom("arrive", "step", "drop"), which: fc.nat(20) }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const loop = new Loop();
        const batcher = batcherOf(loop, []);
        const answered: (number | undefined)[][] = [];
        let arrived = 0;
        let dropped = 0;
        for (const { act, which } of acts) {
          if (act === "arrive") {
            const id = ++arrived;
            void batcher
              .submit(callOf([id]), rule)
              .then((answer) => answered.push([id, ...(answer.ok ? (idsOf(answer) as number[]) : [])]));
            await Promise.resolve();
          } else if (loop.size > 0) {
            if (act === "step") await loop.step(which % loop.size);
            else {
              loop.drop(which % loop.size);
              dropped++;
            }
          }
        }
        await loop.drain();
        expect(answered.length).toBe(arrived - dropped);
        for (const [id, got] of answered) expect(got).toBe(id);
      }),
      { numRuns: 60 },
    );
  });

  test("frees the places of callers who went away, at the cost of one refusal", async () => {
    const loop = new Loop();
    const runs: Calls[] = [];
    const batcher = batcherOf(loop, runs);
    const narrow = { ...rule, waitingRowsMax: 2 };
    void batcher.submit(callOf([1, 2]), narrow);
    loop.drop(0);
    const refused = batcher.submit(callOf([3]), narrow);
    await loop.drain();
    const served = batcher.submit(callOf([4]), narrow);
    await loop.drain();
    expect([idsOf(await refused), idsOf(await served)]).toEqual(["overloaded", [4]]);
    expect(runs).toEqual([[[4]]]);
  });

  test("answers a caller who was slow, not gone, when its place was freed", async () => {
    const loop = new Loop();
    const batcher = batcherOf(loop, []);
    const narrow = { ...rule, waitingRowsMax: 1 };
    const slow = batcher.submit(callOf([1]), narrow);
    const refused = batcher.submit(callOf([2]), narrow);
    await loop.step(1);
    await loop.drain();
    expect([idsOf(await slow), idsOf(await refused)]).toEqual([[1], "overloaded"]);
  });

  test("refuses when too many rows wait, and serves again when they are gone", async () => {
    const loop = new Loop();
    const batcher = batcherOf(loop, []);
    const first = batcher.submit(callOf([1, 2]), { ...rule, waitingRowsMax: 2 });
    const refused = batcher.submit(callOf([3]), { ...rule, waitingRowsMax: 2 });
    await loop.drain();
    expect([idsOf(await first), idsOf(await refused)]).toEqual([[1, 2], "overloaded"]);
    const next = batcher.submit(callOf([3]), { ...rule, waitingRowsMax: 2 });
    await loop.drain();
    expect(idsOf(await next)).toEqual([3]);
  });

  test("runs each call alone when a batch fails, so that only the bad one fails", async () => {
    const loop = new Loop();
    const run = async (calls: Calls) => {
      if (calls.flat().includes(13)) throw new Error("thirteen");
      return ok(calls);
    };
    const batcher = batcherOf(loop, [], { run });
    const answers = [1, 13, 3].map((id) => batcher.submit(callOf([id]), rule));
    await loop.drain();
    expect((await Promise.all(answers)).map(idsOf)).toEqual([[1], "upstream_failed", [3]]);
    expect(await answers[1]).toMatchObject({ fault: { cause: "thirteen" } });
  });

  test("passes on the fault of a run, and does not remember it", async () => {
    const loop = new Loop();
    let ready = false;
    const run = async (calls: Calls) => (ready ? ok(calls) : fail("model_not_ready"));
    const batcher = batcherOf(loop, [], { run });
    const early = batcher.submit(callOf([1]), rule);
    await loop.drain();
    ready = true;
    const late = batcher.submit(callOf([1]), rule);
    await loop.drain();
    expect([idsOf(await early), idsOf(await late)]).toEqual(["model_not_ready", [1]]);
  });

  test("carries on when the caller that ran the batch was cancelled in the middle of it", async () => {
    const loop = new Loop();
    let hang = true;
    const run = (calls: Calls) => (hang ? new Promise<never>(() => {}) : Promise.resolve(ok(calls)));
    const batcher = batcherOf(loop, [], { run });
    void batcher.submit(callOf([1]), rule);
    const mate = batcher.submit(callOf([2]), rule);
    await loop.step(); // The first takes both into its run, and is never heard of again.
    hang = false;
    await loop.drain();
    expect(idsOf(await mate)).toEqual([2]);
    const later = batcher.submit(callOf([3]), rule);
    await loop.drain();
    expect(idsOf(await later)).toEqual([3]);
  });

  test("never lets two runs interleave", async () => {
    const loop = new Loop();
    let inside = 0;
    let most = 0;
    const run = async (calls: Calls) => {
      most = Math.max(most, ++inside);
      await Promise.resolve();
      inside--;
      return ok(calls);
    };
    const batcher = batcherOf(loop, [], { run });
    const answers = Array.from({ length: 40 }, (_, id) => batcher.submit(callOf([id]), rule));
    while (loop.size > 0) await loop.stepAll();
    await Promise.all(answers);
    expect(most).toBe(1);
  });

  test("puts only calls of the same shape into one run, and starves none", async () => {
    const loop = new Loop();
    const runs: Calls[] = [];
    const batcher = batcherOf(loop, runs);
    const answers = [1, 2, 3, 4, 5].map((id) =>
      batcher.submit(callOf([id], { key: id % 2 === 0 ? "even" : "odd" }), rule),
    );
    await loop.drain();
    expect((await Promise.all(answers)).map(idsOf)).toEqual([[1], [2], [3], [4], [5]]);
    expect(runs).toEqual([
      [[1], [3], [5]],
      [[2], [4]],
    ]);
  });

  test("runs a call without a shape to share alone", async () => {
    const loop = new Loop();
    const runs: Calls[] = [];
    const batcher = batcherOf(loop, runs);
    const answers = [1, 2].map((id) => batcher.submit({ item: [id], rows: 1 }, rule));
    await loop.drain();
    expect((await Promise.all(answers)).map(idsOf)).toEqual([[1], [2]]);
    expect(runs).toEqual([[[1]], [[2]]]);
  });

  test("counts a run for the first call that shared it and for none of the others", async () => {
    const loop = new Loop();
    const batcher = batcherOf(loop, []);
    const answers = [[1], [2, 3], [4]].map((ids) => batcher.submit(callOf(ids), rule));
    await loop.drain();
    const counted = (await Promise.all(answers)).map((answer) => answer.ok && answer.value);
    expect(counted.map((one) => one && [one.executions, one.batchRows])).toEqual([
      [1, 4],
      [0, 4],
      [0, 4],
    ]);
  });

  test("runs calls that come one by one at once, and looks out for mates every eighth time, later every 32nd", async () => {
    const loop = new Loop();
    const runs: Calls[] = [];
    const batcher = batcherOf(loop, runs);
    const hops: number[] = [];
    for (let call = 0; call < 100; call++) {
      const answer = batcher.submit(callOf([call]), rule);
      if (loop.size > 0) hops.push(call);
      await loop.drain();
      expect(idsOf(await answer)).toEqual([call]);
    }
    expect(hops).toEqual([0, 1, 2, 3, 11, 27, 59, 91]);
  });

  test("waits for mates again as soon as a call finds another there", async () => {
    const loop = new Loop();
    const runs: Calls[] = [];
    let release = () => {};
    let held: Promise<void> | undefined;
    const run = async (calls: Calls) => {
      await held;
      return ok(calls);
    };
    const batcher = batcherOf(loop, runs, { run });
    await comeOneByOne(batcher, loop);
    runs.splice(0);
    held = new Promise((resolve) => {
      release = resolve;
    });
    const atOnce = batcher.submit(callOf([2]), rule);
    const meanwhile = batcher.submit(callOf([3]), rule);
    expect(loop.size).toBe(1);
    release();
    await atOnce;
    const later = batcher.submit(callOf([4]), rule);
    await loop.drain();
    expect((await Promise.all([atOnce, meanwhile, later])).map(idsOf)).toEqual([[2], [3], [4]]);
    expect(runs).toEqual([[[2]], [[3], [4]]]);
  });

  test("carries on when a caller that ran at once was cancelled in the middle of it", async () => {
    const loop = new Loop();
    let hang = false;
    const run = (calls: Calls) => (hang ? new Promise<never>(() => {}) : Promise.resolve(ok(calls)));
    const batcher = batcherOf(loop, [], { run });
    await comeOneByOne(batcher, loop);
    hang = true;
    void batcher.submit(callOf([2]), rule);
    hang = false;
    const mate = batcher.submit(callOf([3]), rule);
    await loop.drain();
    expect(idsOf(await mate)).toEqual([3]);
    expect(batcher.waitingRows).toBe(0);
  });

  test("lets a call past its deadline leave the queue at nobody's cost", async () => {
    const loop = new Loop();
    const runs: Calls[] = [];
    let unixMs = 1000;
    const batcher = batcherOf(loop, runs, { unixMs: () => unixMs });
    const late = batcher.submit(callOf([1], { deadlineMs: 1010 }), rule);
    const mate = batcher.submit(callOf([2], { deadlineMs: 5000 }), rule);
    unixMs = 1010;
    await loop.drain();
    expect([idsOf(await late), idsOf(await mate)]).toEqual(["deadline_exceeded", [2]]);
    expect(runs).toEqual([[[2]]]);
    expect(batcher.waitingRows).toBe(0);
  });

  test("refuses a call whose deadline has passed before it came, and runs nothing", async () => {
    const runs: Calls[] = [];
    const batcher = batcherOf(new Loop(), runs, { unixMs: () => 1000 });
    expect(idsOf(await batcher.submit(callOf([1], { deadlineMs: 1000 }), rule))).toBe("deadline_exceeded");
    expect(runs).toEqual([]);
  });

  test("settles when all who waited have been answered, and frees the places of those who went away", async () => {
    const loop = new Loop();
    const batcher = batcherOf(loop, []);
    void batcher.submit(callOf([1]), { ...rule, batchRowsMax: 1 });
    loop.drop(0);
    const live = batcher.submit(callOf([2]), { ...rule, batchRowsMax: 1 });
    const settled = batcher.settle();
    await loop.drain();
    await settled;
    expect(idsOf(await live)).toEqual([2]);
    expect(batcher.waitingRows).toBe(0);
  });
});
