import type { Allowed, Spent } from "../profile.ts";
import type { Fault } from "./faults.ts";

/** What one call took before it was answered. */
export interface Held {
  readonly tokens: number;
}

/** Micro-cents a call; tokens cost one each. */
const callPrice = 1_000_000;
const tokensMinuteMs = 60_000;

interface Level {
  left: number;
  atMs: number;
}

/** What one key may and has used: buckets that fill evenly, places, and sums of the day. */
export class Account {
  readonly allowed: Allowed;
  readonly #minuteMs: number;
  readonly #has: (fault: Fault) => boolean;
  #requests: Level;
  #tokens: Level;
  #inFlight = 0;
  #held = 0;
  #heldTokens = 0;
  #spent: Spent = { calls: 0, inputTokens: 0, outputTokens: 0, money: 0 };

  constructor(allowed: Allowed, minuteMs: number, has: (fault: Fault) => boolean) {
    this.allowed = allowed;
    this.#minuteMs = minuteMs;
    this.#has = has;
    this.#requests = { left: allowed.requestsPerMinute ?? 0, atMs: Date.now() };
    this.#tokens = { left: allowed.tokensPerMinute ?? 0, atMs: Date.now() };
  }

  get spent(): Spent {
    return this.#spent;
  }

  /** Everything a call needs, or the seconds after which it might be there. */
  take(tokens: number): Held | { readonly retryAfterS: number } {
    this.#fill();
    const waitMs = this.#waitMs(tokens);
    if (waitMs > 0) {
      if (this.#has("charges refusals")) this.charge(tokens);
      // Half of it, rounded down: too early however long the way takes.
      const early = this.#has("says too early when to come back");
      return { retryAfterS: early ? Math.floor(waitMs / 2_000) : Math.ceil(waitMs / 1_000) };
    }
    this.charge(tokens);
    return { tokens };
  }

  /** As it is now, for whoever looks before taking. */
  copy(): Account {
    const copy = new Account(this.allowed, this.#minuteMs, this.#has);
    copy.#requests = { ...this.#requests };
    copy.#tokens = { ...this.#tokens };
    [copy.#inFlight, copy.#held, copy.#heldTokens] = [this.#inFlight, this.#held, this.#heldTokens];
    copy.#spent = this.#spent;
    return copy;
  }

  charge(tokens: number): void {
    this.#requests.left -= 1;
    this.#tokens.left -= tokens;
    this.#inFlight += 1;
    this.#held += 1;
    this.#heldTokens += tokens;
  }

  /** How long until the call fits; 0 when it does now. */
  #waitMs(tokens: number): number {
    const { requestsPerMinute, tokensPerMinute, inFlight, callsPerDay, tokensPerDay, callsWorthPerDay } = this.allowed;
    const waits: number[] = [0];
    if (requestsPerMinute !== undefined) waits.push((1 - this.#requests.left) * (this.#minuteMs / requestsPerMinute));
    if (tokensPerMinute !== undefined) waits.push((tokens - this.#tokens.left) * (tokensMinuteMs / tokensPerMinute));
    if (inFlight !== undefined && this.#inFlight >= inFlight) waits.push(1_000);
    const calls = this.#spent.calls + this.#held + 1;
    const { inputTokens, outputTokens, money } = this.#spent;
    const used = inputTokens + outputTokens + this.#heldTokens + tokens;
    const cost = money + (this.#held + 1) * callPrice + this.#heldTokens + tokens;
    const budget = (callsWorthPerDay ?? Number.POSITIVE_INFINITY) + 0.5;
    if (calls > (callsPerDay ?? calls) || used > (tokensPerDay ?? used) || cost > budget * callPrice)
      waits.push(3_600_000);
    return Math.max(...waits);
  }

  #fill(): void {
    const now = Date.now();
    const { requestsPerMinute = 0, tokensPerMinute = 0 } = this.allowed;
    if (this.#has("begins a new window each minute")) {
      const window = (atMs: number) => Math.floor(atMs / this.#minuteMs);
      if (window(now) > window(this.#requests.atMs)) this.#requests.left = requestsPerMinute;
    } else fill(this.#requests, requestsPerMinute, this.#minuteMs, now);
    this.#requests.atMs = now;
    fill(this.#tokens, tokensPerMinute, tokensMinuteMs, now);
    this.#tokens.atMs = now;
  }

  /** Its place is free. */
  leave(): void {
    this.#inFlight -= 1;
  }

  /** What a call used in place of what it held; nothing of one that failed. */
  settle({ tokens }: Held, used: { readonly input: number; readonly output: number } | undefined): void {
    this.#held -= 1;
    if (this.#has("keeps what was declared")) {
      if (used !== undefined) this.#add(used.input, used.output);
      return;
    }
    this.#heldTokens -= tokens;
    this.#tokens.left += tokens - (used === undefined || this.#has("counts no tokens") ? 0 : used.output);
    if (used !== undefined) this.#add(used.input, used.output);
  }

  #add(input: number, output: number): void {
    const { calls, inputTokens, outputTokens, money } = this.#spent;
    this.#spent = {
      calls: calls + 1,
      inputTokens: inputTokens + input,
      outputTokens: outputTokens + output,
      money: money + callPrice + input + output,
    };
  }
}

function fill(level: Level, most: number, minuteMs: number, now: number): void {
  level.left = Math.min(most, level.left + ((now - level.atMs) * most) / minuteMs);
}
