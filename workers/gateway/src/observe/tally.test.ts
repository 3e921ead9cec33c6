import { noRollout, type Rollout, type TallyBatch } from "@ledge/contract";
import { addModelTallies, emptyModelTally } from "@ledge/policy";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { TallySink } from "./ports.ts";
import { Tallies } from "./tally.ts";

const outcome = { endedMs: 1, latencyMs: 5, cache: "miss" as const, work: { rows: 1, confidence: 0.9 } };
const rollout = { kind: "shadow", id: "r1", limits: { unsureBelow: 0.5 }, arms: [] } as unknown as Rollout;

/** The counter's end: counts a number of an isolate once, as the real one does. */
class MemorySink implements TallySink {
  readonly calls: string[] = [];
  total = emptyModelTally;
  fails: "never" | "before" | "after" = "never";
  readonly #last = new Map<string, number>();

  async add(model: string, batch: TallyBatch): Promise<void> {
    this.calls.push(`${model} ${batch.number}`);
    if (this.fails === "before") throw new Error("not reached");
    if (batch.number > (this.#last.get(batch.isolate + model) ?? 0)) {
      this.total = addModelTallies(this.total, batch);
      this.#last.set(batch.isolate + model, batch.number);
    }
    if (this.fails === "after") throw new Error("the answer was lost");
  }
}

let sink: MemorySink;
let tallies: Tallies;
let background: Promise<unknown>[];
let said: string[];
const inBackground = (work: Promise<unknown>) => void background.push(work);
const one = { model: "m", version: "1" };

beforeEach(() => {
  vi.useFakeTimers();
  sink = new MemorySink();
  background = [];
  said = [];
  tallies = new Tallies({ sink, isolate: () => "i", nowMs: () => Date.now(), say: (what) => said.push(what) });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("what an isolate counts", () => {
  test("is handed over once for all calls of a second, not once a call", async () => {
    for (let call = 0; call < 100; call++) tallies.record(one, outcome, inBackground);
    expect(background).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sink.calls).toEqual(["m 1"]);
    expect(sink.total.versions["1"]).toMatchObject({ success: { count: 100 }, inferenceCount: 100 });
  });

  test("is handed over at once when asked for", async () => {
    tallies.record(one, outcome, inBackground);
    await tallies.flush();
    expect(sink.total.versions["1"]?.success.count).toBe(1);
  });

  test("goes to its model's counter alone, and to the arm of the rollout that chose, or to none", async () => {
    tallies.record({ ...one, arm: { rollout, version: "1" } }, outcome, inBackground);
    tallies.record({ model: "m", version: "2" }, outcome, inBackground);
    tallies.record({ model: "other", version: "1" }, outcome, inBackground);
    await tallies.flush();
    expect(sink.calls.toSorted()).toEqual(["m 1", "other 1"]);
    expect(sink.total.arms).toMatchObject({
      r1: { "1": { calls: 1 } },
      [noRollout]: { "1": { calls: 1 }, "2": { calls: 1 } },
    });
  });

  test("is kept when the counter cannot be reached, goes with the next, and the operator is told", async () => {
    sink.fails = "before";
    tallies.record(one, outcome, inBackground);
    await tallies.flush();
    expect(said[0]).toContain("'m'");
    sink.fails = "never";
    tallies.record(one, outcome, inBackground);
    await tallies.flush();
    expect(sink.total.versions["1"]?.success.count).toBe(2);
  });

  test("is handed over though the request that was to do it was cut off", async () => {
    tallies.record(one, outcome, () => undefined);
    vi.clearAllTimers();
    vi.setSystemTime(Date.now() + 7_000);
    tallies.record(one, outcome, inBackground);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sink.total.versions["1"]?.success.count).toBe(2);
  });

  test("is counted exactly once, whatever fails before or after it arrived, and however flushes overlap", async () => {
    vi.useRealTimers();
    const step = fc.constantFrom("record", "flush", "overlap", "fail before", "fail after", "mend");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        sink = new MemorySink();
        tallies = new Tallies({ sink, isolate: () => "i", nowMs: () => 0, say: () => undefined });
        let recorded = 0;
        const flying: Promise<void>[] = [];
        for (const what of steps) {
          if (what === "record") {
            tallies.record(one, outcome, () => undefined);
            recorded++;
          } else if (what === "flush") await tallies.flush();
          else if (what === "overlap") flying.push(tallies.flush());
          else sink.fails = what === "fail before" ? "before" : what === "fail after" ? "after" : "never";
        }
        await Promise.all(flying);
        sink.fails = "never";
        await tallies.flush();
        expect(sink.total.versions["1"]?.success.count ?? 0).toBe(recorded);
      }),
    );
  });
});
