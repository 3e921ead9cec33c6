import type { Limits } from "@ledge/contract";
import { amountsOf, freshMeter, meterStep } from "@ledge/policy";
import { Events } from "./events.ts";
import { excessOf } from "./limits-audit.ts";
import { SimulatedIsolate } from "./limits-isolate.ts";
import { callMsMax, type SimulatedCall, type Subject, type SubjectTally, type WorldOptions } from "./limits-subject.ts";
import { type Random, randomOf } from "./random.ts";

/** An edge on virtual time: callers, isolates that hold leases, meters, and messages between them that are late, lost or doubled. */

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
