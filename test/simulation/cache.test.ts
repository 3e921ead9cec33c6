import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { promptCrypto } from "./cache/ciphers.ts";
import { tempers } from "./cache/tempers.ts";
import { VirtualTime } from "./cache/time.ts";
import { World } from "./cache/world.ts";

/**
 * The answer cache's promises, held against random orders of everything that may happen to it (test/simulation/cache). A run
 * that finds something wrong names its seed; `LEDGE_SEED=3030` repeats that run alone, the same in every step, and
 * `LEDGE_SEED=3100-3149` tries new ones. A seed's thousands say what goes wrong in its run (`tempers`).
 */

const stepsOfRun = 1_700;
const runsOfTemper = 10;
/** A slow machine is no failure. */
const msMax = 600_000;
const real = globalThis.crypto;

const time = new VirtualTime();
beforeAll(() => {
  vi.stubGlobal("crypto", promptCrypto);
  vi.stubGlobal("setTimeout", time.setTimeout);
  vi.stubGlobal("clearTimeout", time.clearTimeout);
  vi.stubGlobal("IdentityTransformStream", TransformStream);
});
afterAll(() => vi.unstubAllGlobals());

type Temper = (typeof tempers)[number];

async function run(temper: Temper, seed: number, seen: Record<string, number>): Promise<void> {
  const world = new World(temper, seed, time);
  if (asked !== undefined) console.log(`seed ${seed}`);
  for (let step = 0; step < stepsOfRun && world.wrong.length === 0; step++) await world.step();
  await world.end();
  expect(world.wrong.slice(0, 3), `of the run with LEDGE_SEED=${seed}, while ${temper.name}`).toEqual([]);
  for (const [what, times] of Object.entries(world.seen)) seen[what] = (seen[what] ?? 0) + times;
}

const seedsOfTemper = 1_000;
const asked = process.env.LEDGE_SEED;

/** Those of a temper that are asked for, or else its first. */
function seedsOf(temper: Temper): readonly number[] {
  const first = seedsOfTemper * tempers.indexOf(temper);
  const [from = first, to = from] = asked?.split("-").map(Number) ?? [first, first + runsOfTemper - 1];
  const all = Array.from({ length: seedsOfTemper }, (_, at) => first + at);
  return all.filter((seed) => seed >= from && seed <= to);
}

if (tempers.flatMap(seedsOf).length === 0) throw new Error(`LEDGE_SEED=${asked} names no runs`);

describe("over 100,000 random steps nothing wrong is ever served, and nobody fails who could be served,", () => {
  test.each(tempers)(
    "while $name",
    async (temper) => {
      const seen: Record<string, number> = {};
      for (const seed of seedsOf(temper)) await run(temper, seed, seen);
      if (asked !== undefined) return;
      // It says nothing wrong of a cache that never answers.
      for (const how of ["memory", "kv", "collapsed", "stale-while-revalidate"]) {
        expect(seen[`answer by ${how}`], how).toBeGreaterThan(100);
      }
      for (const what of temper.shows) expect(seen[what], what).toBeGreaterThan(10);
    },
    msMax,
  );
});

test("the same seed gives the same run, step for step", async () => {
  const traceOf = async (temper: Temper) => {
    const world = new World(temper, 1, time);
    const startMs = time.nowMs;
    for (let step = 0; step < 300; step++) await world.step();
    await world.end();
    const kept = [...world.ledger.bySerial].map(([serial, { createdAtMs, storedMs = startMs }]) => {
      return [serial, createdAtMs - startMs, storedMs - startMs];
    });
    return { kept, seen: world.seen };
  };
  for (const temper of tempers) expect(await traceOf(temper), temper.name).toEqual(await traceOf(temper));
});

test("the simulation's ciphers are those of WebCrypto", async () => {
  const { subtle } = real;
  const name = "AES-GCM";
  const [iv, additionalData, text] = [new Uint8Array(12), new Uint8Array([1, 2]), new Uint8Array([3, 4, 5])];
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array([6]), info: new Uint8Array([7]) };
  const secret = await subtle.importKey("raw", text, "HKDF", false, ["deriveKey"]);
  const sealing = await subtle.deriveKey(derivation, secret, { name, length: 256 }, false, ["encrypt"]);
  const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
  const naming = await subtle.deriveKey(derivation, secret, hmac, false, ["sign"]);
  const prompt = promptCrypto.subtle;
  const same = await prompt.deriveKey(derivation, await prompt.importKey("raw", text));
  const sealed = await subtle.encrypt({ name, iv, additionalData }, sealing, text);
  expect(await prompt.encrypt({ iv, additionalData }, same, text)).toEqual(sealed);
  expect(new Uint8Array(await prompt.decrypt({ iv, additionalData }, same, new Uint8Array(sealed)))).toEqual(text);
  expect(await prompt.sign("HMAC", same, text)).toEqual(await subtle.sign("HMAC", naming, text));
});
