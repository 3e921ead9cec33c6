import type { Limits } from "@ledge/contract";
import { type Amounts, amountsOf, freshMeter, type LeasePolicy, type MeterState, meterStep } from "@ledge/policy";
import { Events } from "./events.ts";
import { type Admission, excessOf } from "./limits-audit.ts";
import { SimulatedIsolate } from "./limits-isolate.ts";
import { type Random, randomOf } from "./random.ts";

/** An edge on virtual time: callers, isolates that hold leases, meters, and messages between them that are late, lost or doubled. */

export interface WorldOptions {
  readonly seed: number;
  readonly locations: number;
  readonly isolatesPerLocation: number;
  readonly subjects: number;
  /** Calls a second of the busiest subject; the next has half of it, the third a third, and so on (Zipf). */
  readonly topRate: number;
  readonly seconds: number;
  readonly policy: LeasePolicy;
  /** One way, milliseconds: from, to. */
  readonly delayMs: readonly [number, number];
  /** Of each message, either way. */
  readonly loss: number;
  readonly doubled: number;
  /** Isolates that die in a second, and meters that are evicted. */
  readonly deathsPerS: number;
  readonly evictionsPerS: number;
  /** A fault for the audit to find: meters forget what they granted when they are evicted. */
  readonly forgetful?: boolean;
  /** Callers neither burst nor come near a limit: what asking costs at a rate. */
  readonly steady?: boolean;
}

/** What became of one subject's calls. */
export interface SubjectTally {
  /** Calls a second. */
  readonly rate: number;
  readonly limits: Limits;
  calls: number;
  admitted: number;
  /** Calls that counting one by one in one place, at once, would have admitted. */
  ideal: number;
  /** Asks and settlements that came to the meter. */
  messages: number;
  /** Calls whose meter could not be reached, twice. */
  unreached: number;
  /** By how much a limit was exceeded at worst; 0: never. */
  excess: number;
}

/** A caller: how fast it calls, and what it may use. */
export interface Subject {
  readonly index: number;
  readonly name: string;
  readonly rate: number;
  readonly limits: Limits;
  /** Whether its calls use tokens and are in flight for a while. */
  readonly holds: boolean;
  readonly tally: SubjectTally;
  readonly admissions: Admission[];
  /** The meter. */
  state: MeterState;
  /** The meter of counting one by one. */
  ideal: MeterState;
}

/** What a call would need, and what it uses in the end. */
export interface SimulatedCall {
  readonly needs: Amounts;
  readonly used: Amounts;
  readonly lastsMs: number;
}

export const callMsMax = 30_000;
const startMs = 1_700_000_000_000;

export function runWorld(options: WorldOptions): readonly SubjectTally[] {
  const random = randomOf(options.seed);
  const events = new Events();
  events.nowMs = startMs;
  const endMs = startMs + options.seconds * 1_000;
  const subjects = Array.from({ length: options.subjects }, (_, index) => subjectOf(index, options, random));
  const isolates = new Map<number, SimulatedIsolate>();
  const isolateAt = (place: number) => {
    const known = isolates.get(place);
    if (known !== undefined) return known;
    const fresh = new SimulatedIsolate({ events, random, options });
    isolates.set(place, fresh);
    return fresh;
  };
  for (const subject of subjects) {
    const next = () => {
      if (events.nowMs > endMs) return;
      const call = callOf(subject, random);
      subject.tally.calls++;
      isolateAt(placeOf(subject, options, random)).call(subject, call);
      countIdeally(subject, call, events);
      events.in(gapMs(subject, options, events.nowMs, random), next);
    };
    events.in(gapMs(subject, options, startMs, random), next);
  }
  repeat(events, endMs, options.deathsPerS, random, () => {
    const places = [...isolates.keys()];
    const dead = places[Math.floor(random() * places.length)];
    if (dead === undefined) return;
    isolates.get(dead)?.die();
    isolates.delete(dead);
  });
  repeat(events, endMs, options.evictionsPerS, random, () => {
    const evicted = subjects[Math.floor(random() ** 3 * subjects.length)];
    // It comes back from the disk: nothing but data survives.
    if (evicted !== undefined)
      evicted.state = options.forgetful ? freshMeter : JSON.parse(JSON.stringify(evicted.state));
  });
  events.run(endMs + 2 * callMsMax);
  for (const { limits, admissions, tally } of subjects) tally.excess = excessOf(limits, admissions);
  return subjects.map(({ tally }) => tally);
}

function subjectOf(index: number, { topRate, steady }: WorldOptions, random: Random): Subject {
  const rate = topRate / (index + 1);
  const holds = index % 2 === 1 && !steady;
  // A third may call twice as fast as it does, a third as fast, a third half as fast.
  const share = [2, 1, 0.5][index % 3] ?? 1;
  const perSecond = Math.max(1, Math.round(rate * share));
  const limits: Limits = steady
    ? { requests_per_minute: 1_000_000_000 }
    : holds
      ? {
          requests_per_minute: 60 * perSecond,
          tokens_per_minute: Math.max(4_000, Math.round(rate * 60 * share * 250)),
          in_flight: Math.max(2, Math.round(rate * share * (0.5 + random()))),
        }
      : index % 4 === 0
        ? { requests_per_second: perSecond }
        : { requests_per_minute: 60 * perSecond };
  const tally = { rate, limits, calls: 0, admitted: 0, ideal: 0, messages: 0, unreached: 0, excess: 0 };
  const name = `subject-${index}`;
  return { index, name, rate, limits, holds, tally, admissions: [], state: freshMeter, ideal: freshMeter };
}

/** Callers come in bursts: four times as often in a fourth of their time. */
function gapMs({ rate, index }: Subject, { steady }: WorldOptions, nowMs: number, random: Random): number {
  const phase = ((nowMs + index * 7_919) % 20_000) / 20_000;
  const ratePerMs = ((index % 4 === 0 && !steady ? (phase < 0.25 ? 4 : 0.05) : 1) * rate) / 1_000;
  return Math.ceil(-Math.log(1 - random()) / ratePerMs);
}

function callOf({ holds, limits }: Subject, random: Random): SimulatedCall {
  if (!holds) {
    const needs = amountsOf(limits, undefined);
    return { needs, used: needs, lastsMs: 0 };
  }
  const reserved = 100 + Math.floor(random() * 1_000);
  const used = random() < 0.1 ? 0 : Math.floor(reserved * random() ** 2);
  const lastsMs = Math.min(callMsMax, -Math.log(1 - random()) * 600);
  const needs = { requests_per_minute: 1, tokens_per_minute: reserved, in_flight: 1 };
  return { needs, used: { requests_per_minute: 1, tokens_per_minute: used, in_flight: 1 }, lastsMs };
}

/** Most calls come from the caller's own location, over as many isolates as its rate needs there. */
function placeOf({ index, rate }: Subject, { locations, isolatesPerLocation }: WorldOptions, random: Random): number {
  const location = random() < 0.9 ? index % locations : Math.floor(random() * locations);
  const isolates = Math.min(isolatesPerLocation, Math.ceil(rate / 50));
  return location * isolatesPerLocation + ((index + Math.floor(random() * isolates)) % isolatesPerLocation);
}

function countIdeally(subject: Subject, { needs, used, lastsMs }: SimulatedCall, events: Events): void {
  const lease = `ideal-${subject.tally.calls}`;
  const ask = { lease, call: needs, calls: 1, ahead: false, sure: true, holdMs: callMsMax, settlements: [] };
  const [answer, after] = meterStep(subject.limits, subject.ideal, events.nowMs, ask);
  subject.ideal = after;
  if (answer.granted < 1) return;
  subject.tally.ideal++;
  if (!subject.holds) return;
  const beganMs = events.nowMs;
  events.in(lastsMs, () => {
    const tokens = used.tokens_per_minute ?? 0;
    const freed = { tokens_per_minute: (needs.tokens_per_minute ?? 0) - tokens, in_flight: 1 };
    const agoMs = events.nowMs - beganMs;
    const settlements = [{ lease, spent: { tokens_per_minute: tokens }, freed, agoMs }];
    const told = { ...ask, lease: "", call: {}, calls: 0, settlements };
    subject.ideal = meterStep(subject.limits, subject.ideal, events.nowMs, told)[1];
  });
}

function repeat(events: Events, endMs: number, perS: number, random: Random, happen: () => void): void {
  if (perS <= 0) return;
  const next = () => {
    if (events.nowMs > endMs) return;
    happen();
    events.in((-Math.log(1 - random()) * 1_000) / perS, next);
  };
  events.in(0, next);
}
