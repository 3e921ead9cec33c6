import type { Dice } from "./dice.ts";
import type { VirtualTime } from "./time.ts";

/** How KV behaves: chances of what may go wrong with one reading or writing. */
export interface KvMood {
  readonly name: string;
  readonly msMax: number;
  /** Throws. */
  readonly fails: number;
  /** Never answers. */
  readonly hangs: number;
  /** Gives what was there up to a minute ago. */
  readonly stale: number;
  /** Gives what lies under another key. */
  readonly foreign: number;
  /** Gives what was there with something of it changed. */
  readonly damaged: number;
}

const fine: KvMood = { name: "well", msMax: 30, fails: 0, hangs: 0, stale: 0, foreign: 0, damaged: 0 };

export const kvWell = fine;
export const kvMoods: readonly KvMood[] = [
  fine,
  { ...fine, name: "slow", msMax: 900, hangs: 0.05 },
  { ...fine, name: "failing", fails: 0.6 },
  { ...fine, name: "down", fails: 1 },
  { ...fine, name: "stale", stale: 0.7 },
  { ...fine, name: "confused", foreign: 0.4, damaged: 0.3 },
  { ...fine, name: "all of it", msMax: 600, fails: 0.1, hangs: 0.02, stale: 0.2, foreign: 0.1, damaged: 0.1 },
];

const staleMsMax = 60_000;

interface Version<V> {
  readonly atMs: number;
  readonly value: V | undefined;
}

/** A KV namespace that is out of sorts now and then. */
export class MoodyKv<V> {
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #damage: (value: V) => V;
  readonly #versions = new Map<string, Version<V>[]>();
  readonly #keys: string[] = [];
  #mood = kvWell;
  /** Since when everything has been as it should; `Infinity` while it is not. */
  wellSinceMs = 0;

  constructor(time: VirtualTime, dice: Dice, damage: (value: V) => V) {
    this.#time = time;
    this.#dice = dice;
    this.#damage = damage;
  }

  set mood(mood: KvMood) {
    const was = this.#mood;
    this.#mood = mood;
    if (mood !== kvWell) this.wellSinceMs = Number.POSITIVE_INFINITY;
    else if (was !== kvWell) this.wellSinceMs = this.#time.nowMs;
  }

  async read(key: string): Promise<V | undefined> {
    const { stale, foreign, damaged } = this.#mood;
    const dice = this.#dice;
    const atMs = this.#time.nowMs - (dice.comes(stale) ? dice.between(0, staleMsMax) : 0);
    const value = this.#valueAt(this.#keys.length > 0 && dice.comes(foreign) ? dice.pick(this.#keys) : key, atMs);
    await this.#answer();
    return value !== undefined && dice.comes(damaged) ? this.#damage(value) : value;
  }

  async write(key: string, value: V | undefined): Promise<void> {
    await this.#answer();
    const { nowMs } = this.#time;
    const known = this.#versions.get(key);
    if (known === undefined) {
      this.#keys.push(key);
      this.#versions.set(key, [{ atMs: nowMs, value }]);
      return;
    }
    known.push({ atMs: nowMs, value });
    // What could be read a minute ago is remembered.
    while ((known[1]?.atMs ?? nowMs) < nowMs - staleMsMax) known.shift();
  }

  #valueAt(key: string, atMs: number): V | undefined {
    return this.#versions.get(key)?.findLast((version) => version.atMs <= atMs)?.value;
  }

  async #answer(): Promise<void> {
    const { msMax, fails, hangs } = this.#mood;
    const ms = this.#dice.between(1, msMax / 5) * 5;
    const failing = this.#dice.comes(fails);
    if (this.#dice.comes(hangs)) await new Promise(() => undefined);
    await this.#time.sleep(ms);
    if (failing) throw new Error("KV failed");
  }
}

/** A bit flipped, the end missing, or nothing at all. */
export function damaged(bytes: Uint8Array, dice: Dice): Uint8Array {
  const how = dice.weighted({ bit: 6, cut: 2, empty: 1 });
  if (how === "empty") return new Uint8Array();
  if (how === "cut") return bytes.slice(0, dice.between(0, bytes.length - 1));
  const copy = bytes.slice();
  const at = dice.between(0, copy.length - 1);
  copy[at] = (copy[at] ?? 0) ^ (1 << dice.between(0, 7));
  return copy;
}
