import type { WakeAnswer } from "@ledge/contract";
import { type Waking, type WakingAsk, wakingLeaseMs, wakingTask } from "@ledge/policy/origins";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type WakeBook, Wakes } from "./wakes.ts";

/** Isolates over one book and one origin whose model wakes when the test says so, by a clock of the test's. */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const origin = { name: "eu-1", url: "https://eu-1.example", weight: 1 };
const asleep = { origin, etaMs: 20_000 };

class World implements WakeBook {
  isDown = false;
  says: WakeAnswer | undefined | "nothing" = { state: "waking", eta_ms: 20_000 };
  readonly asked: string[] = [];
  readonly told = new Set<string>();
  readonly awake: string[] = [];
  #waking: Waking | undefined;

  async waking(_model: string, ask: WakingAsk) {
    if (this.isDown) throw new Error("gone");
    this.told.add(ask.isolate);
    const [task, next] = wakingTask(this.#waking, ask, Date.now());
    this.#waking = next;
    return task;
  }

  isolate(name: string, heldMax = 1_000): Wakes {
    return new Wakes({
      book: this,
      wake: async () => {
        this.asked.push(name);
        return this.says === "nothing" ? await new Promise<never>(() => {}) : this.says;
      },
      origins: [origin],
      onAwake: (at, model) => this.awake.push(`${at} ${model}`),
      heldMax,
      nowMs: () => Date.now(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
  }
}

const soon = (ms = 60_000) => Date.now() + ms;

test("a thousand calls in ten isolates have one of them ask the origin, seldom, and go on when it is awake", async () => {
  const world = new World();
  const isolates = Array.from({ length: 10 }, (_, at) => world.isolate(`i-${at}`));
  const calls = isolates.flatMap((wakes) => Array.from({ length: 100 }, () => wakes.hold("m@1", asleep, soon())));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(new Set(world.asked).size).toBe(1);
  expect(world.asked.length).toBeLessThanOrEqual(6);
  world.says = { state: "awake", eta_ms: 0 };
  await vi.advanceTimersByTimeAsync(4_500);
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["awake"]));
  expect(world.awake).toEqual(Array(10).fill("eu-1 m@1"));
});

test("everybody hears that it did not wake, and the next call tries again", async () => {
  const world = new World();
  const [here, there] = [world.isolate("here"), world.isolate("there")];
  const calls = [here, there, here, there].map((wakes) => wakes.hold("m@1", asleep, soon()));
  await vi.advanceTimersByTimeAsync(1_000);
  world.says = { state: "failed", eta_ms: 0 };
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await Promise.all(calls)).toEqual(["failed", "failed", "failed", "failed"]);
  expect(here.asleep("m@1")).toBeUndefined();
  world.says = { state: "awake", eta_ms: 0 };
  const next = there.hold("m@1", asleep, soon());
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await next).toBe("awake");
});

test("a call is held no longer than it may be, and no more of them than may be", async () => {
  const world = new World();
  const wakes = world.isolate("here", 2);
  const calls = [100, 3_000, 100].map((ms) => wakes.hold("m@1", asleep, soon(ms)));
  await vi.advanceTimersByTimeAsync(100);
  expect(await Promise.all([calls[0], calls[2]])).toEqual(["late", "full"]);
  const more = wakes.hold("m@1", asleep, soon(200));
  await vi.advanceTimersByTimeAsync(2_900);
  expect(await Promise.all([more, calls[1]])).toEqual(["late", "late"]);
});

test("who comes while others wait learns of them that the model is asleep, and about how long still", async () => {
  const wakes = new World().isolate("here");
  expect(wakes.asleep("m@1")).toBeUndefined();
  const call = wakes.hold("m@1", asleep, soon(10_000));
  await vi.advanceTimersByTimeAsync(50);
  expect(wakes.asleep("m@1")).toMatchObject({ origin, etaMs: 19_950 });
  await vi.advanceTimersByTimeAsync(10_000);
  await call;
  expect(wakes.asleep("m@1")).toBeUndefined();
});

test("without the book each isolate asks for itself", async () => {
  const world = new World();
  world.isDown = true;
  const calls = ["a", "b"].map((name) => world.isolate(name).hold("m@1", asleep, soon()));
  await vi.advanceTimersByTimeAsync(500);
  expect(new Set(world.asked)).toEqual(new Set(["a", "b"]));
  world.says = { state: "awake", eta_ms: 0 };
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await Promise.all(calls)).toEqual(["awake", "awake"]);
});

test("another isolate asks in the place of one whose request was cut off as it did", async () => {
  const world = new World();
  world.says = "nothing";
  void world.isolate("gone").hold("m@1", asleep, soon(1));
  await vi.advanceTimersByTimeAsync(100);
  world.says = { state: "awake", eta_ms: 0 };
  const call = world.isolate("here").hold("m@1", asleep, soon());
  await vi.advanceTimersByTimeAsync(wakingLeaseMs + 3_000);
  expect(await call).toBe("awake");
  expect(world.asked).toEqual(["gone", "here"]);
});

test("an origin that says nothing of it three times in a row has failed", async () => {
  const world = new World();
  world.says = undefined;
  const call = world.isolate("here").hold("m@1", asleep, soon());
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await call).toBe("failed");
  expect(world.asked.length).toBe(3);
});
