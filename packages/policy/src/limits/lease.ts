import { type Amounts, add, covers, isRequests, measuresIn, type Sums } from "./amounts.ts";
import type { Settlement } from "./draft.ts";
import { type LeasePolicy, leasePolicy, type MeterAnswer, type MeterAsk } from "./meter.ts";

/** One lease as its isolate holds it. What was granted is in `pool`, or held by calls, or spent, or freed. */
interface Lease {
  readonly name: string;
  /** What calls may still take. */
  pool: Sums;
  /** Calls that hold of it. */
  calls: number;
  readonly spent: Sums;
  readonly freed: Sums;
  /** No call begins from it after this, and none that could last longer than that. */
  beginUntilMs: number;
  readonly endUntilMs: number;
  /** When the last call began that took of it. */
  begunMs: number;
  /** Whether others may be waiting for what is not needed. */
  readonly scarce: boolean;
  /** Whether the meter is to be told of it. */
  news: boolean;
}

/** What one call holds. */
export interface Share {
  readonly lease: Lease;
  readonly amounts: Amounts;
}

/** Below this many calls a lease is not renewed ahead: a hop now and then costs a slow caller nothing. */
const renewFrom = 32;
/** Of a subject without limits, which is asked only whether it was revoked: the next answer is fetched behind a call, this long at most. */
const staleMs = 3_000;
/** After its last call, a lease of which the meter was not told is not told any more. */
const forgottenMs = 60_000;

/**
 * What an isolate holds of one subject. It asks for as many calls as it had lately in the life of a lease, at most twice as
 * many as the last time: a slow caller takes none ahead, a fast one saves nearly all hops. Of asks that are under way at once only
 * one is for more than its own call: the others' callers wait already, and what they do not need would be kept from those who do.
 */
export class Holding {
  readonly #policy: LeasePolicy;
  #leases: Lease[] = [];
  /** The ask under way that may be for more than its own call, and until when it is waited for. */
  #leader: { readonly lease: string; readonly untilMs: number } | undefined;
  /** Calls since the last of these was sent. */
  #since: { readonly atMs: number; calls: number } | undefined;
  /** How many calls that one was granted. */
  #last = 1;

  constructor(policy: LeasePolicy = leasePolicy) {
    this.#policy = policy;
  }

  /** Takes for one call that ends by `endMs`, without a hop; `undefined` when no lease covers it. */
  take(call: Amounts, endMs: number, nowMs: number): Share | undefined {
    const stale = measuresIn(call).length === 0 ? staleMs : 0;
    const untilMs = holdsOn(call) ? endMs : nowMs;
    const lease = this.#leases.find(
      ({ pool, beginUntilMs, endUntilMs }) =>
        nowMs < beginUntilMs + stale && untilMs <= endUntilMs + stale && covers(pool, call),
    );
    if (lease === undefined) return undefined;
    for (const measure of measuresIn(call)) add(lease.pool, measure, -(call[measure] ?? 0));
    return this.#share(lease, call, nowMs);
  }

  /**
   * Whether to ask for the next lease now, while calls still take of this one: three quarters of a large one are gone, so the rest
   * would be used up soon, and then every call at once would stand waiting.
   */
  runsLow(call: Amounts, nowMs: number): boolean {
    if (this.#isLed(nowMs)) return false;
    if (measuresIn(call).length === 0) return !this.#leases.some(({ beginUntilMs }) => nowMs < beginUntilMs);
    if (this.#last < renewFrom) return false;
    const left = this.left(nowMs);
    return measuresIn(call).some((measure) => (left[measure] ?? 0) < ((call[measure] ?? 0) * this.#last) / 4);
  }

  /** The ask for a call that no lease covers, or for the next lease. It settles what is over, and gives up what does not cover the call. */
  ask(
    name: string,
    call: Amounts,
    endMs: number,
    nowMs: number,
    { ahead, sure }: Pick<MeterAsk, "ahead" | "sure">,
  ): MeterAsk {
    const holdMs = holdsOn(call) ? Math.max(0, endMs - nowMs) : 0;
    const settlements = this.settlements(nowMs, ahead ? undefined : call);
    if (this.#isLed(nowMs)) return { lease: name, call, calls: 1, ahead, sure, holdMs, settlements };
    const calls = this.#wanted(nowMs);
    this.#leader = { lease: name, untilMs: nowMs + this.#policy.lifeMs };
    this.#since = { atMs: nowMs, calls: 0 };
    return { lease: name, call, calls, ahead, sure, holdMs, settlements };
  }

  /**
   * Takes what was granted, dated from when it was asked for, so that it ends here before it can end at the meter. Gives the share of
   * the call that asked; `undefined` when it was refused, or asked ahead.
   */
  answered(ask: MeterAsk, answer: MeterAnswer, askedMs: number, nowMs: number): Share | undefined {
    if (this.#leader?.lease === ask.lease) {
      this.#leader = undefined;
      this.#last = Math.max(1, Math.min(ask.calls, answer.granted));
    }
    // The credential was revoked: no call begins any more.
    if (answer.closed) for (const lease of this.#leases) lease.beginUntilMs = 0;
    if (answer.granted < 1) return undefined;
    const pool: Sums = {};
    const rest = Math.min(ask.calls, answer.granted) - (ask.ahead ? 0 : 1);
    for (const measure of measuresIn(ask.call)) pool[measure] = (ask.call[measure] ?? 0) * rest;
    const beginUntilMs = askedMs + this.#policy.lifeMs;
    const lease: Lease = {
      name: ask.lease,
      pool,
      calls: 0,
      spent: {},
      freed: {},
      beginUntilMs,
      endUntilMs: beginUntilMs + ask.holdMs,
      begunMs: nowMs,
      scarce: answer.scarce,
      news: false,
    };
    this.#leases.push(lease);
    return ask.ahead ? undefined : this.#share(lease, ask.sure ? beyondRequests(ask.call) : ask.call, nowMs);
  }

  /** The call goes on: its requests are spent. What it holds of the rest until it is over; `undefined` when that is nothing. */
  begin({ lease, amounts }: Share): Share | undefined {
    for (const measure of measuresIn(amounts)) {
      if (!isRequests(measure)) continue;
      add(lease.spent, measure, amounts[measure] ?? 0);
      lease.news = true;
    }
    if (holdsOn(amounts)) return { lease, amounts: beyondRequests(amounts) };
    lease.calls--;
    return undefined;
  }

  /**
   * Ends what a call holds: `used` is spent, more than it had reserved too; the rest is for the next call, or goes back.
   * Says whether the meter should be told now: others may be waiting.
   */
  settle({ lease, amounts }: Share, used: Amounts, nowMs: number): boolean {
    lease.calls--;
    const back = lease.scarce || nowMs >= lease.beginUntilMs ? lease.freed : lease.pool;
    for (const measure of measuresIn(amounts)) {
      const held = amounts[measure] ?? 0;
      const spent = measure === "in_flight" ? 0 : (used[measure] ?? 0);
      if (spent > 0) add(lease.spent, measure, spent);
      if (held > spent) add(back, measure, held - spent);
      lease.news = true;
    }
    return back === lease.freed && lease.news;
  }

  /** What is to be told of leases that are over; those that do not cover `call` are given up. Each is told once, unless {@link untold}. */
  settlements(nowMs: number, call?: Amounts): readonly Settlement[] {
    const told: Settlement[] = [];
    for (const lease of this.#leases) {
      const over = nowMs >= lease.beginUntilMs || (call !== undefined && !covers(lease.pool, call));
      if (over) giveUp(lease);
      if (!lease.news || !(over || lease.scarce)) continue;
      lease.news = false;
      const { name, spent, freed, begunMs } = lease;
      told.push({ lease: name, spent: { ...spent }, freed: { ...freed }, agoMs: Math.max(0, nowMs - begunMs) });
    }
    return told;
  }

  /** The meter has heard what it was told: of leases of which nothing is left, nothing more is to be said. */
  told(nowMs: number): void {
    this.#leases = this.#leases.filter(
      (lease) => lease.news || lease.calls > 0 || nowMs < lease.beginUntilMs || !isEmpty(lease.pool),
    );
  }

  /** It may not have heard, and is told again. */
  untold(settlements: readonly Settlement[], nowMs: number): void {
    const names = new Set(settlements.map(({ lease }) => lease));
    // What the meter has folded by now is not worth a word.
    for (const lease of this.#leases) lease.news ||= names.has(lease.name) && nowMs < lease.endUntilMs + forgottenMs;
    this.told(nowMs);
  }

  /** What calls could take now without asking. */
  left(nowMs: number): Amounts {
    const sums: Sums = {};
    for (const { pool, beginUntilMs } of this.#leases) {
      if (nowMs >= beginUntilMs) continue;
      for (const measure of measuresIn(pool)) add(sums, measure, pool[measure] ?? 0);
    }
    return sums;
  }

  /** When the first lease ends of which something is left, `all` of it or what is not requests; milliseconds since 1970. `undefined`: none. */
  leftUntil(all: boolean): number | undefined {
    const left = this.#leases.filter(({ pool }) => !isEmpty(all ? pool : beyondRequests(pool)));
    return left.length === 0 ? undefined : Math.min(...left.map(({ beginUntilMs }) => beginUntilMs));
  }

  #isLed(nowMs: number): boolean {
    return this.#leader !== undefined && nowMs < this.#leader.untilMs;
  }

  #wanted(nowMs: number): number {
    if (this.#since === undefined) return 1;
    const { atMs, calls } = this.#since;
    const { lifeMs, growth, callsMax } = this.#policy;
    const lately = Math.floor((calls * lifeMs) / Math.max(1, nowMs - atMs));
    return Math.max(1, Math.min(callsMax, growth * this.#last, lately));
  }

  #share(lease: Lease, amounts: Amounts, nowMs: number): Share {
    if (this.#since !== undefined) this.#since.calls++;
    lease.calls++;
    lease.begunMs = nowMs;
    return { lease, amounts };
  }
}

/** Whether a call holds anything until it is over. */
function holdsOn(call: Amounts): boolean {
  return measuresIn(call).some((measure) => !isRequests(measure));
}

function beyondRequests(call: Amounts): Amounts {
  const rest: Sums = {};
  for (const measure of measuresIn(call)) if (!isRequests(measure)) rest[measure] = call[measure] ?? 0;
  return rest;
}

function isEmpty(pool: Amounts): boolean {
  return measuresIn(pool).every((measure) => (pool[measure] ?? 0) <= 0);
}

function giveUp(lease: Lease): void {
  for (const measure of measuresIn(lease.pool)) {
    const unspent = lease.pool[measure] ?? 0;
    if (unspent <= 0) continue;
    add(lease.freed, measure, unspent);
    lease.news = true;
  }
  lease.pool = {};
}
