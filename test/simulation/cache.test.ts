import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { promptCrypto } from "./cache/ciphers.ts";
import { tempers } from "./cache/tempers.ts";
import { VirtualTime } from "./cache/time.ts";
import { World } from "./cache/world.ts";

/**
 * The answer cache's promises, held against random orders of everything that may happen to it (test/simulation/cache). A run
 * that finds something wrong names its seed; `LEDGE_SEED=<seed>` repeats that run alone.
 */

const stepsOfRun = 1_700;
const runsOfTemper = 10;

const time = new VirtualTime();
beforeAll(() => {
  vi.stubGlobal("crypto", promptCrypto);
  vi.stubGlobal("setTimeout", time.setTimeout);
  vi.stubGlobal("clearTimeout", time.clearTimeout);
  vi.stubGlobal("IdentityTransformStream", TransformStream);
});
afterAll(() => vi.unstubAllGlobals());

async function run(temper: (typeof tempers)[number], seed: number, seen: Record<string, number>): Promise<void> {
  const world = new World(temper, seed, time);
  for (let step = 0; step < stepsOfRun && world.wrong.length === 0; step++) await world.step();
  await world.end();
  if (world.wrong.length > 0) throw new Error(`seed ${seed}: ${world.wrong.slice(0, 3).join("\n")}`);
  for (const [what, times] of Object.entries(world.seen)) seen[what] = (seen[what] ?? 0) + times;
}

describe("over 100,000 random steps nothing wrong is ever served, and nobody fails who could be served,", () => {
  test.each(tempers)("while $name", async (temper) => {
    const seen: Record<string, number> = {};
    const only = process.env.LEDGE_SEED;
    const first = 1_000 * tempers.indexOf(temper);
    if (only !== undefined) return await run(temper, Number(only), seen);
    for (let at = 0; at < runsOfTemper; at++) {
      const c = process.cpuUsage();
      await run(temper, first + at, seen);
      if (process.env.CPU) console.log(temper.name, at, process.cpuUsage(c).user / 1e6, time.nowMs);
    }
    console.log(temper.name, JSON.stringify(seen));
    expect(seen["answer by memory"]).toBeGreaterThan(1_000);
  }, 200_000);
});
