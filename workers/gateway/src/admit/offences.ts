import { type BlockReason, type Fault, fail, ok, type Result } from "@ledge/contract";
import {
  type AbuseRecord,
  abuseRule,
  addressSubject,
  cleanRecord,
  delayOf,
  fadedPoints,
  isBlocked,
  type Offence,
  offenceOf,
  offend,
  scoreAt,
} from "@ledge/policy";
import type { Trail } from "../exchange.ts";
import type { AbuseBook, FloodWall } from "./ports.ts";

/** How often an isolate that is asked looks what was blocked elsewhere. */
const lookMs = 5_000;
const offendersMax = 10_000;
/** Callers that are held up at once: beyond, they are refused instead. */
const heldMax = 64;
/** Wrong names that are remembered of one caller. */
const namesMax = 64;
/** The wall counts in windows of ten seconds (wrangler.jsonc). */
const wallRetryMs = 10_000;

export interface OffencesDeps {
  readonly book: AbuseBook;
  readonly wall: FloodWall | undefined;
  /** Whether anything is done against bad callers at all. */
  readonly isOn: boolean;
  readonly say: (what: string) => void;
  readonly nowMs: () => number;
}

type Background = (work: Promise<void>) => void;

/** What this isolate saw of one bad caller. */
interface Seen {
  record: AbuseRecord;
  /** Points that the book does not have, as of the record's time. */
  untold: number;
  readonly names: Set<string>;
}

/**
 * Slows bad callers down and keeps them out for a while, by address and by credential. Whoever does nothing wrong costs a look into
 * an empty map. When the book cannot be reached, the isolate goes by what it saw itself.
 */
export class Offences {
  readonly #deps: OffencesDeps;
  readonly #seen = new Map<string, Seen>();
  /** Until when each is blocked. */
  readonly #blocked = new Map<string, number>();
  #number = 0;
  #nextLookMs = 0;
  /** When each that is held up goes on. */
  #held: number[] = [];

  constructor(deps: OffencesDeps) {
    this.#deps = deps;
  }

  /** The outer wall: whether so much comes from an address that it is not even looked at. `undefined`: no. */
  stop({ headers }: Request): Promise<Result<never> | undefined> | undefined {
    const { wall } = this.#deps;
    const address = wall && addressSubject(headers.get("CF-Connecting-IP"));
    return wall && address ? atWall(wall, address) : undefined;
  }

  /** Whether a caller that was identified may go on: its address does not matter. Errors: `caller_blocked`. */
  async pass(subject: string, background: Background): Promise<Result<true>> {
    if (this.#deps.nowMs() >= this.#nextLookMs) this.#look(background);
    return this.#blocked.size === 0 && this.#seen.size === 0 ? ok(true) : await this.#holdUp(subject);
  }

  /** Answers credentials that were refused: as they were, perhaps later, or not at all. */
  async refuse({ headers }: Request, fault: Fault, background: Background): Promise<Result<never>> {
    const refused = { ok: false, fault } as const;
    const subject = addressSubject(headers.get("CF-Connecting-IP"));
    const offence = offenceOf(fault.code);
    if (subject === undefined || offence?.reason !== "credentials") return refused;
    if (this.#deps.nowMs() >= this.#nextLookMs) this.#look(background);
    this.#add(subject, offence, background);
    const may = await this.#holdUp(subject);
    return may.ok ? refused : may;
  }

  /** What a call that is over says against its caller. */
  note({ url, headers }: Request, { code, subject, asked }: Trail, background: Background): void {
    const offence = code && offenceOf(code);
    if (offence === undefined || offence.reason === "credentials") return;
    const whose = subject ?? addressSubject(headers.get("CF-Connecting-IP"));
    if (whose === undefined) return;
    const names = this.#of(whose).names;
    const name = asked === undefined ? url : JSON.stringify(asked);
    if (offence.distinct && names.has(name)) return;
    if (names.size >= namesMax) names.clear();
    if (offence.distinct) names.add(name);
    this.#add(whose, offence, background);
  }

  async #holdUp(subject: string): Promise<Result<true>> {
    const nowMs = this.#deps.nowMs();
    const leftMs = (this.#blocked.get(subject) ?? 0) - nowMs;
    if (leftMs > 0) return fail("caller_blocked", { retryAfterMs: leftMs });
    const seen = this.#seen.get(subject);
    const delayMs = seen === undefined ? 0 : delayOf(abuseRule, scoreAt(abuseRule, seen.record, nowMs));
    if (delayMs === 0) return ok(true);
    this.#held = this.#held.filter((untilMs) => untilMs > nowMs);
    if (this.#held.length >= heldMax) return fail("caller_blocked", { retryAfterMs: abuseRule.delayMsMax });
    this.#held.push(nowMs + delayMs);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return ok(true);
  }

  /** The longest known goes first: a Map keeps the order of insertion. */
  #of(subject: string): Seen {
    const known = this.#seen.get(subject);
    if (known !== undefined) return known;
    const oldest = this.#seen.size < offendersMax ? undefined : this.#seen.keys().next().value;
    if (oldest !== undefined) this.#seen.delete(oldest);
    const seen: Seen = { record: cleanRecord, untold: 0, names: new Set() };
    this.#seen.set(subject, seen);
    return seen;
  }

  #add(subject: string, { points, reason }: Offence, background: Background): void {
    const nowMs = this.#deps.nowMs();
    // What is done during a block is not told: the book may have forgiven it already.
    if (!this.#deps.isOn || nowMs < (this.#blocked.get(subject) ?? 0)) return;
    const seen = this.#of(subject);
    seen.untold = fadedPoints(abuseRule, seen.untold, nowMs - seen.record.atMs) + points;
    this.#adopt(subject, seen, offend(abuseRule, seen.record, points, nowMs));
    const score = scoreAt(abuseRule, seen.record, nowMs);
    if (score >= abuseRule.slowAt || isBlocked(seen.record, nowMs)) background(this.#tell(subject, seen, reason));
  }

  async #tell(subject: string, seen: Seen, reason: BlockReason): Promise<void> {
    const points = seen.untold;
    seen.untold = 0;
    try {
      this.#adopt(subject, seen, await this.#deps.book.report({ subject, points, reason }));
    } catch (error) {
      seen.untold += points;
      this.#deps.say(`the book of offences cannot be reached: ${String(error)}`);
    }
  }

  #adopt(subject: string, seen: Seen, record: AbuseRecord): void {
    seen.record = record;
    const knownMs = this.#blocked.get(subject) ?? 0;
    if (!isBlocked(record, this.#deps.nowMs()) || knownMs >= record.blockedUntilMs) return;
    this.#blocked.set(subject, record.blockedUntilMs);
    if (knownMs === 0) this.#deps.say(`${subject.startsWith("ip:") ? "an address" : "a caller"} is blocked`);
  }

  #look(background: Background): void {
    if (!this.#deps.isOn) return;
    this.#nextLookMs = this.#deps.nowMs() + lookMs;
    background(this.#read());
  }

  async #read(): Promise<void> {
    const { book, say, nowMs } = this.#deps;
    try {
      const { number, changes } = await book.changesAfter(this.#number);
      this.#number = number;
      for (const { subject, untilMs } of changes) {
        if (untilMs > 0) this.#blocked.set(subject, untilMs);
        else {
          this.#blocked.delete(subject);
          this.#seen.delete(subject);
        }
      }
    } catch (error) {
      say(`the list of blocks cannot be read: ${String(error)}`);
    }
    const now = nowMs();
    for (const [subject, untilMs] of this.#blocked) if (untilMs <= now) this.#blocked.delete(subject);
    for (const [subject, { record }] of this.#seen) {
      if (scoreAt(abuseRule, record, now) < forgottenBelow && !isBlocked(record, now)) this.#seen.delete(subject);
    }
  }
}

/** Points below which a caller is nobody in particular any more. */
const forgottenBelow = 0.1;

async function atWall(wall: FloodWall, address: string): Promise<Result<never> | undefined> {
  // A wall that cannot be asked lets everybody through: the limits behind it are exact.
  const admitted = await wall.admits(address).catch(() => true);
  if (admitted) return undefined;
  const detail = "More comes from this address than the deployment takes.";
  return fail("caller_blocked", { retryAfterMs: wallRetryMs, detail });
}
