import { fail, ok, type Result } from "@ledge/contract";
import type { OutputRow, PreparedRow } from "@ledge/pipeline";
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

  async drain(): Promise<void> {
    while (this.size > 0) await this.step();
  }
}

type Runs = (readonly PreparedRow[])[];

/** The answer to a row has its id as tokens, so that a mix-up of rows shows. */
function batcherOf(loop: Loop, runs: Runs, run?: BatcherPorts["run"]): Batcher {
  const echo = async (rows: readonly PreparedRow[]): Promise<Result<OutputRow[]>> => {
    runs.push(rows);
    return ok(rows.map(({ tokens }) => rowOf(tokens)));
  };
  return new Batcher({ run: run ?? echo, hop: loop.hop, now: () => 0, turn: { running: 0, begun: 0 } });
}

const rowOf = (id: number) => ({ tokens: id, tensors: {} });
const rowsOf = (...ids: number[]) => ids.map(rowOf);
const idsOf = (answer: Awaited<ReturnType<Batcher["submit"]>>) =>
  answer.ok ? answer.value.outputs.map(({ tokens }) => tokens) : answer.fault.code;

describe("the batcher", () => {
  test("puts calls that wait together into one run and gives each its own rows", async () => {
    const loop = new Loop();
    const runs: Runs = [];
    const batcher = batcherOf(loop, runs);
    const answers = [rowsOf(1), rowsOf(2, 3), rowsOf(4)].map((rows) => batcher.submit(rows, rule));
    await loop.drain();
    expect((await Promise.all(answers)).map(idsOf)).toEqual([[1], [2, 3], [4]]);
    expect(runs.map((rows) => rows.length)).toEqual([4]);
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
              .submit(rowsOf(id), rule)
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
    const runs: Runs = [];
    const batcher = batcherOf(loop, runs);
    const narrow = { ...rule, waitingRowsMax: 2 };
    void batcher.submit(rowsOf(1, 2), narrow);
    loop.drop(0);
    const refused = batcher.submit(rowsOf(3), narrow);
    await loop.drain();
    const served = batcher.submit(rowsOf(4), narrow);
    await loop.drain();
    expect([idsOf(await refused), idsOf(await served)]).toEqual(["overloaded", [4]]);
    expect(runs.map((rows) => rows.length)).toEqual([1]);
  });

  test("answers a caller who was slow, not gone, when its place was freed", async () => {
    const loop = new Loop();
    const batcher = batcherOf(loop, []);
    const narrow = { ...rule, waitingRowsMax: 1 };
    const slow = batcher.submit(rowsOf(1), narrow);
    const refused = batcher.submit(rowsOf(2), narrow);
    await loop.step(1);
    await loop.drain();
    expect([idsOf(await slow), idsOf(await refused)]).toEqual([[1], "overloaded"]);
  });

  test("refuses when too many rows wait, and serves again when they are gone", async () => {
    const loop = new Loop();
    const batcher = batcherOf(loop, []);
    const first = batcher.submit(rowsOf(1, 2), { ...rule, waitingRowsMax: 2 });
    const refused = batcher.submit(rowsOf(3), { ...rule, waitingRowsMax: 2 });
    await loop.drain();
    expect([idsOf(await first), idsOf(await refused)]).toEqual([[1, 2], "overloaded"]);
    const next = batcher.submit(rowsOf(3), { ...rule, waitingRowsMax: 2 });
    await loop.drain();
    expect(idsOf(await next)).toEqual([3]);
  });

  test("runs each call alone when a batch fails, so that only the bad one fails", async () => {
    const loop = new Loop();
    const batcher = batcherOf(loop, [], async (rows) => {
      if (rows.some((row) => row.tokens === 13)) throw new Error("thirteen");
      return ok(rows.map(({ tokens }) => rowOf(tokens)));
    });
    const answers = [1, 13, 3].map((id) => batcher.submit(rowsOf(id), rule));
    await loop.drain();
    expect((await Promise.all(answers)).map(idsOf)).toEqual([[1], "upstream_failed", [3]]);
    expect(await answers[1]).toMatchObject({ fault: { cause: "thirteen" } });
  });

  test("passes on the fault of a run, and does not remember it", async () => {
    const loop = new Loop();
    let ready = false;
    const batcher = batcherOf(loop, [], async (rows) =>
      ready ? ok(rows.map(() => rowOf(1))) : fail("model_not_ready"),
    );
    const early = batcher.submit(rowsOf(1), rule);
    await loop.drain();
    ready = true;
    const late = batcher.submit(rowsOf(1), rule);
    await loop.drain();
    expect([idsOf(await early), idsOf(await late)]).toEqual(["model_not_ready", [1]]);
  });

  test("carries on when the caller that ran the batch was cancelled in the middle of it", async () => {
    const loop = new Loop();
    let hang = true;
    const batcher = batcherOf(loop, [], (rows) => {
      if (hang) return new Promise(() => {});
      return Promise.resolve(ok(rows.map(({ tokens }) => rowOf(tokens))));
    });
    void batcher.submit(rowsOf(1), rule);
    const mate = batcher.submit(rowsOf(2), rule);
    await loop.step(); // The first takes both into its run, and is never heard of again.
    hang = false;
    await loop.drain();
    expect(idsOf(await mate)).toEqual([2]);
    const later = batcher.submit(rowsOf(3), rule);
    await loop.drain();
    expect(idsOf(await later)).toEqual([3]);
  });

  test("never lets two runs interleave", async () => {
    const loop = new Loop();
    let inside = 0;
    let most = 0;
    const batcher = batcherOf(loop, [], async (rows) => {
      most = Math.max(most, ++inside);
      await Promise.resolve();
      inside--;
      return ok(rows.map(() => rowOf(0)));
    });
    const answers = Array.from({ length: 40 }, (_, id) => batcher.submit(rowsOf(id), rule));
    while (loop.size > 0) await loop.stepAll();
    await Promise.all(answers);
    expect(most).toBe(1);
  });
});
