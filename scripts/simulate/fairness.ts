import type { CapacityShare } from "@ledge/contract";
import { admit, emptyQueue, take } from "@ledge/policy/fair-queue";
import { type Random, randomOf } from "./random.ts";

/** A tier with a bounded queue before it, on virtual time: what one tenant's burst does to the others. */

/**
 * How capacity is dealt: by tenants' shares; first come, first served; or always to the others while they have anything waiting, which
 * is the best for them that any rule can do that lets a run end and leaves no slot idle.
 */
export type FairnessOrder = "shares" | "first-come" | "others-first";

export interface FairnessScenario {
  /** Calls that the tier answers at once. */
  readonly slots: number;
  /** Calls that run together in a slot, and what a run costs beside its calls, milliseconds. Default 1 and 0: each by itself. */
  readonly batchRowsMax?: number;
  readonly runMs?: number;
  /** Calls that may wait. */
  readonly waitingMax: number;
  /** Mean time of a call, milliseconds; the times are log-normal. */
  readonly callMs: number;
  /** What the others ask for, each, as a share of what the tier can do. */
  readonly others: readonly number[];
  /** Calls that the burst asks for in the same time, as a share of what the tier can do; 0 for none. */
  readonly burst: number;
  readonly order: FairnessOrder;
  readonly calls: number;
  readonly seed: number;
}

export interface TenantOutcome {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answered: number;
  readonly refused: number;
}

interface Arrival {
  readonly atMs: number;
  readonly of: string;
  readonly callMs: number;
}

/** What each tenant got, by its name: `burst`, `other-0`, … */
export function simulateFairness(scenario: FairnessScenario): Readonly<Record<string, TenantOutcome>> {
  const { slots, waitingMax, order, batchRowsMax = 1, runMs = 0 } = scenario;
  const arrivals = arrivalsOf(scenario);
  const latencies = new Map<string, number[]>();
  const refused = new Map<string, number>();
  const byId = new Map<number, Arrival>();
  /** When each call that is being answered ends, ascending. */
  const ends: number[] = [];
  let queue = emptyQueue;
  const refuse = ({ of }: Arrival) => refused.set(of, (refused.get(of) ?? 0) + 1);
  const start = (nowMs: number) => {
    while (ends.length < slots && queue.waiting.length > 0) {
      const [tickets, rest] = take({ waitingRowsMax: 0, batchRowsMax }, queue);
      queue = rest;
      const run = tickets.flatMap(({ id }) => byId.get(id) ?? []);
      const endMs = run.reduce((sum, { callMs }) => sum + callMs, nowMs + runMs);
      const place = ends.findIndex((other) => other > endMs);
      ends.splice(place < 0 ? ends.length : place, 0, endMs);
      for (const { of, atMs } of run) latencies.set(of, [...(latencies.get(of) ?? []), endMs - atMs]);
    }
  };
  const endUntil = (nowMs: number) => {
    for (let first = ends[0]; first !== undefined && first <= nowMs; first = ends[0]) {
      ends.shift();
      start(first);
    }
  };
  for (const arrival of arrivals) {
    endUntil(arrival.atMs);
    const share = shareOf(order, arrival.of);
    const room = { waitingRowsMax: waitingMax + Math.max(0, slots - ends.length), batchRowsMax };
    const [admission, after] = admit(room, queue, { rows: 1, key: "same", share });
    queue = after;
    if (admission.kind === "refused") refuse(arrival);
    else {
      byId.set(admission.ticket.id, arrival);
      for (const { id } of admission.pushedOut) refuse(byId.get(id) ?? arrival);
      start(arrival.atMs);
    }
  }
  endUntil(Number.POSITIVE_INFINITY);
  const names = new Set(arrivals.map(({ of }) => of));
  return Object.fromEntries([...names].map((of) => [of, outcome(latencies.get(of) ?? [], refused.get(of) ?? 0)]));
}

/** Next to nothing for the burst is the others first. */
function shareOf(order: FairnessOrder, of: string): CapacityShare | undefined {
  if (order === "first-come") return undefined;
  return { of, weight: order === "others-first" && of === "burst" ? 1e-6 : 1 };
}

function outcome(latencies: readonly number[], refused: number): TenantOutcome {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), answered: sorted.length, refused };
}

/** The others come one by one, the burst in ten blows. The others' calls are the same with it and without. */
function arrivalsOf(scenario: FairnessScenario): readonly Arrival[] {
  const { slots, callMs, others, burst, calls, seed, batchRowsMax = 1, runMs = 0 } = scenario;
  const random = randomOf(seed);
  const perMs = (slots * batchRowsMax) / (runMs + batchRowsMax * callMs);
  const total = others.reduce((sum, share) => sum + share, 0);
  const spanMs = calls / (total * perMs);
  const arrivals: Arrival[] = [];
  for (const [i, share] of others.entries()) {
    const of = `other-${i}`;
    for (let atMs = gap(share * perMs, random); atMs < spanMs; atMs += gap(share * perMs, random)) {
      arrivals.push({ atMs, of, callMs: timeOf(callMs, random) });
    }
  }
  const blows = 10;
  const each = Math.floor((burst * perMs * spanMs) / blows);
  for (let blow = 0; blow < blows; blow++) {
    const atMs = (spanMs * (blow + 0.1)) / blows;
    for (let i = 0; i < each; i++) arrivals.push({ atMs, of: "burst", callMs: timeOf(callMs, random) });
  }
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}

function gap(perMs: number, random: Random): number {
  return -Math.log(1 - random()) / perMs;
}

const sigma = 0.5;

/** Log-normal, by Box and Muller. */
function timeOf(meanMs: number, random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return meanMs * Math.exp(sigma * normal - sigma ** 2 / 2);
}
