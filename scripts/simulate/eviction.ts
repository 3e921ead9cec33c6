import { worthAfterUse } from "@ledge/policy";
import { type Random, randomOf } from "./random.ts";

/**
 * Prints the share of calls that find their entry when there is room for a part of them, by who goes first, as the table of
 * docs/decisions/0011-semantic-index.md: `node scripts/simulate/eviction.ts [calls] [seed]`. The same seed prints the same table.
 */

/** Calls for one of many meanings, by Zipf's law; what is popular changes, and a share is asked once and never again. */
interface Traffic {
  readonly name: string;
  readonly exponent: number;
  readonly once: number;
  /** Half of the meanings change their popularity in so many days. */
  readonly driftDays: number;
}

const meanings = 20_000;
const room = 2_000;
const callsADay = 20_000;
const dayMs = 86_400_000;
const hourMs = 3_600_000;

const traffics: readonly Traffic[] = [
  { name: "steady", exponent: 0.9, once: 0, driftDays: Number.POSITIVE_INFINITY },
  { name: "half asked once", exponent: 0.9, once: 0.5, driftDays: Number.POSITIVE_INFINITY },
  { name: "changes in 2 days, half asked once", exponent: 0.9, once: 0.5, driftDays: 2 },
  { name: "changes in 6 hours, half asked once", exponent: 0.9, once: 0.5, driftDays: 0.25 },
];

/** The worth of an entry after a use: the least goes. */
type Rule = (before: number | undefined, nowMs: number) => number;

const faded =
  (halfLifeMs: number): Rule =>
  (before, nowMs) =>
    worthAfterUse(before, nowMs, halfLifeMs);

const rules: readonly (readonly [string, Rule])[] = [
  ["used least recently (LRU)", (_before, nowMs) => nowMs],
  ["used least often (LFU)", (before, nowMs) => Math.floor(before ?? 0) + 1 + nowMs / 1e14],
  ["fading uses, half-life 1 hour", faded(hourMs)],
  ["fading uses, half-life 6 hours", faded(6 * hourMs)],
  ["fading uses, half-life 1 day", faded(dayMs)],
  ["fading uses, half-life 7 days", faded(7 * dayMs)],
];

/** Meanings called, -1 for one that is asked once. */
function callsOf({ exponent, once, driftDays }: Traffic, calls: number, random: Random): Int32Array {
  const cumulated = new Float64Array(meanings);
  let sum = 0;
  for (let rank = 0; rank < meanings; rank++) {
    sum += (rank + 1) ** -exponent;
    cumulated[rank] = sum;
  }
  const meaningAt = Int32Array.from({ length: meanings }, (_, rank) => rank);
  const swaps = Number.isFinite(driftDays) ? meanings / 4 / (driftDays * callsADay) : 0;
  let due = 0;
  return Int32Array.from({ length: calls }, () => {
    for (due += swaps; due >= 1; due--)
      swap(meaningAt, Math.floor(random() * meanings), Math.floor(random() * meanings));
    return random() < once ? -1 : (meaningAt[rankOf(cumulated, random() * sum)] ?? 0);
  });
}

function swap(list: Int32Array, a: number, b: number): void {
  [list[a], list[b]] = [list[b] ?? 0, list[a] ?? 0];
}

function rankOf(cumulated: Float64Array, wanted: number): number {
  let low = 0;
  let high = cumulated.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulated[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The share of calls for a meaning, after the first tenth, that found it kept. */
export function hitShare(calls: Int32Array, rule: Rule): number {
  const place = new Map<number, number>();
  const held = new Int32Array(room).fill(-1);
  const worth = new Float64Array(room).fill(Number.NEGATIVE_INFINITY);
  let hits = 0;
  let asked = 0;
  let single = -2;
  for (const [number, called] of calls.entries()) {
    const meaning = called === -1 ? single-- : called;
    const nowMs = (number * dayMs) / callsADay;
    const at = place.get(meaning);
    const counts = number > calls.length / 10 && called !== -1;
    if (counts) asked++;
    if (at !== undefined) {
      if (counts) hits++;
      worth[at] = rule(worth[at], nowMs);
      continue;
    }
    const least = leastOf(worth);
    place.delete(held[least] ?? -1);
    place.set(meaning, least);
    held[least] = meaning;
    worth[least] = rule(undefined, nowMs);
  }
  return hits / asked;
}

function leastOf(worth: Float64Array): number {
  let least = 0;
  for (let at = 1; at < worth.length; at++) if ((worth[at] ?? 0) < (worth[least] ?? 0)) least = at;
  return least;
}

if (import.meta.main) {
  const [calls = 200_000, seed = 1] = process.argv.slice(2).map(Number);
  console.log(`| who goes first | ${traffics.map(({ name }) => name).join(" | ")} |`);
  console.log(`| --- |${traffics.map(() => " ---: |").join("")}`);
  const called = traffics.map((traffic) => callsOf(traffic, calls, randomOf(seed)));
  for (const [name, rule] of rules) {
    const shares = called.map((list) => `${(hitShare(list, rule) * 100).toFixed(1)} %`);
    console.log(`| ${name} | ${shares.join(" | ")} |`);
  }
}
