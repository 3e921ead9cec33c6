import type { Limits } from "@ledge/contract";
import { type Amounts, add, isRequests, type Measure, measuresIn, type Sums } from "./amounts.ts";
import { type Bucket, drained, emptyBucket, filled, type Rate, rateOf } from "./bucket.ts";

/** What became of a lease so far: sums since it was granted, so that a message may be lost, repeated or overtaken. */
export interface Settlement {
  readonly lease: string;
  readonly spent: Amounts;
  /** Given back: not spent, and not held any more. */
  readonly freed: Amounts;
  /** How long ago the last call began that spent of it, milliseconds. */
  readonly agoMs: number;
}

/** What an isolate took and has not accounted for: held, and not yet known to be spent or not. */
export interface Grant {
  readonly lease: string;
  /** Calls that it was for. */
  readonly calls: number;
  readonly amounts: Amounts;
  /** Sums that were reported of it so far. */
  readonly spent: Amounts;
  readonly freed: Amounts;
  /** No call begins from it after this, milliseconds since 1970: its requests count as spent then, when nobody says otherwise. */
  readonly beginUntilMs: number;
  /** No call holds of it after this: the same for the rest of it. */
  readonly endUntilMs: number;
}

/** All that is counted of one subject. Plain data: it is kept as it is. */
export interface MeterState {
  readonly buckets: Readonly<Partial<Record<Measure, Bucket>>>;
  readonly grants: readonly Grant[];
  readonly closed: boolean;
}

export const freshMeter: MeterState = { buckets: {}, grants: [], closed: false };

/** A state while it is worked on, and what it is worked on for. What it was made from stays as it is. */
export interface Draft {
  readonly limits: Limits;
  readonly nowMs: number;
  readonly buckets: Partial<Record<Measure, Bucket>>;
  readonly grants: Grant[];
  /** Of all grants together. */
  readonly held: Sums;
}

export function draftOf(limits: Limits, { buckets, grants }: MeterState, nowMs: number): Draft {
  const draft: Draft = { limits, nowMs, buckets: {}, grants: [...grants], held: {} };
  for (const measure of Object.keys(buckets) as Measure[]) {
    const rate = rateOf(limits, measure);
    const bucket = buckets[measure];
    // Of a limit that was lifted nothing is remembered.
    if (rate !== undefined && bucket !== undefined) draft.buckets[measure] = drained(rate, bucket, nowMs);
  }
  for (const grant of grants) hold(draft, grant, 1);
  return draft;
}

/** Whether nothing is worth remembering: all has drained, nobody holds anything, and it is not closed. */
export function isIdle(state: MeterState, nowMs: number): boolean {
  const limits: Limits = {};
  for (const measure of Object.keys(state.buckets) as Measure[]) limits[measure] = state.buckets[measure]?.limit;
  const { buckets } = draftOf(limits, state, nowMs);
  const drained = Object.values(buckets).every(({ backlog }) => backlog === 0);
  return drained && !state.closed && state.grants.every(({ endUntilMs }) => endUntilMs < nowMs);
}

export function stateOf({ buckets, grants }: Draft): MeterState {
  return { buckets, grants, closed: false };
}

export function bucketOf({ buckets }: Draft, measure: Measure, rate: Rate): Bucket {
  return buckets[measure] ?? emptyBucket(rate);
}

/** Counts as spent at `spentMs`. Calls in flight are held, and never spent. */
export function charge(draft: Draft, measure: Measure, amount: number, spentMs: number): void {
  const rate = rateOf(draft.limits, measure);
  if (rate === undefined || amount <= 0) return;
  draft.buckets[measure] = filled(rate, bucketOf(draft, measure, rate), amount, spentMs, draft.nowMs);
}

export function grantTo(draft: Draft, grant: Grant): void {
  draft.grants.push(grant);
  hold(draft, grant, 1);
}

/** What is still held of a grant. */
export function openOf({ amounts, spent, freed }: Grant, measure: Measure): number {
  return Math.max(0, (amounts[measure] ?? 0) - (spent[measure] ?? 0) - (freed[measure] ?? 0));
}

export function foldsAt(grant: Grant, measure: Measure): number {
  return isRequests(measure) ? grant.beginUntilMs : grant.endUntilMs;
}

/**
 * Moves what was reported from held to spent or to free. Sums only grow, so a report that comes late, twice or not at all changes
 * nothing; of a lease that is no longer known it gives nothing. What a call used beyond what it held is charged all the same.
 */
export function settle(draft: Draft, settlements: readonly Settlement[]): void {
  for (const { lease, spent, freed, agoMs } of settlements) {
    const at = draft.grants.findIndex((grant) => grant.lease === lease);
    const grant = draft.grants[at];
    if (grant === undefined) continue;
    const spentMs = Math.min(draft.nowMs - agoMs, grant.beginUntilMs);
    const after = { spent: { ...grant.spent } as Sums, freed: { ...grant.freed } as Sums };
    for (const measure of measuresIn(spent)) {
      const more = (spent[measure] ?? 0) - (grant.spent[measure] ?? 0);
      if (more <= 0) continue;
      add(after.spent, measure, more);
      charge(draft, measure, more, spentMs);
    }
    for (const measure of measuresIn(freed)) {
      const more = (freed[measure] ?? 0) - (grant.freed[measure] ?? 0);
      const open = openOf({ ...grant, ...after }, measure);
      if (more > 0) add(after.freed, measure, Math.min(more, open));
    }
    replace(draft, at, grant, { ...grant, ...after });
  }
}

/** Counts as spent what its isolate may no longer spend, or can no longer be using, by `byMs`: for all we know it did. */
export function fold(draft: Draft, byMs: number): void {
  // From the end: what is over leaves its place to the next.
  for (let at = draft.grants.length - 1; at >= 0; at--) {
    const grant = draft.grants[at];
    if (grant === undefined || byMs < grant.beginUntilMs) continue;
    const spent: Sums = { ...grant.spent };
    for (const measure of measuresIn(grant.amounts)) {
      const open = openOf(grant, measure);
      if (open === 0 || byMs < foldsAt(grant, measure)) continue;
      add(spent, measure, open);
      charge(draft, measure, open, grant.beginUntilMs);
    }
    replace(draft, at, grant, { ...grant, spent });
  }
}

/** A grant of which nothing is held any more is forgotten. */
function replace(draft: Draft, at: number, before: Grant, after: Grant): void {
  hold(draft, before, -1);
  hold(draft, after, 1);
  const isOpen = measuresIn(after.amounts).some((measure) => openOf(after, measure) > 0);
  if (isOpen) draft.grants[at] = after;
  else draft.grants.splice(at, 1);
}

function hold({ held }: Draft, grant: Grant, sign: 1 | -1): void {
  for (const measure of measuresIn(grant.amounts)) add(held, measure, sign * openOf(grant, measure));
}
