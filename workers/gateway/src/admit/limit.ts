import { type ErrorCode, type Fault, ok, type Result, type Terms, type Used } from "@ledge/contract";
import { type Amounts, amountsOf, type CallTokens, type Measure, type Share } from "@ledge/policy";
import type { Demand, Hold, Principal, StandingLimit } from "../exchange.ts";
import { reserveFor, termsOf } from "./reserve.ts";
import { type Answered, type Background, type SubjectDeps, SubjectMeter } from "./subject-meter.ts";
import { demandsOf, type Subject, subjectsOf } from "./subjects.ts";

const subjectsMax = 10_000;

export interface LimitDeps extends SubjectDeps {
  /** How long a call may take whose deadline is not said. */
  readonly callMsMax: number;
}

/** What a call took of all limits that apply. Exactly one of `begin` and `release` is to be called, once. */
export interface Taken {
  /** The most tokens that the answer may have, where the caller set no bound and a limit counts them. */
  readonly outputLimit?: number;
  /** The call goes on: it is a request, whatever becomes of it. What it holds until it is over; `undefined`: nothing. */
  begin(): Hold | undefined;
  /** It does not, for something else refused it: it has cost nothing. */
  release(): void;
}

/** One limit's part in a call. */
interface Part {
  readonly subject: Subject;
  readonly call: Amounts;
  readonly meter: SubjectMeter;
  share?: Share | undefined;
  refused?: Exclude<Answered, { kind: "granted" }>;
}

/** All limits of all subjects, as an isolate holds them. */
export class Limit {
  readonly #deps: LimitDeps;
  readonly #meters = new Map<string, SubjectMeter>();

  constructor(deps: LimitDeps) {
    this.#deps = deps;
  }

  /**
   * Takes of every limit that applies, or of none. `say` is told how they stand, granted or not. Errors: `input_too_large`;
   * `rate_limited`, `tokens_limited`, `too_many_in_flight`; `invalid_credentials` of a key that was revoked.
   */
  async take(
    principal: Principal,
    demand: Demand,
    terms: Terms,
    say: (limits: readonly StandingLimit[]) => void,
    background: Background,
  ): Promise<Result<Taken>> {
    const { model, deadlineMs } = demand;
    const subjects = subjectsOf(principal, model, terms);
    const reserve = reserveFor(demand, subjects, model === undefined ? undefined : termsOf(terms, model));
    if (!reserve.ok) return reserve;
    const { tokens, outputLimit } = reserve.value;
    const parts: readonly Part[] = demandsOf(subjects, tokens).map(({ subject, call }) => ({
      subject,
      call,
      meter: this.#meterOf(subject.name),
    }));
    const endMs = deadlineMs ?? this.#deps.nowMs() + this.#deps.callMsMax;
    await this.#fill(parts, endMs, Object.keys(principal.standing.quotas).length === 0, background);
    say(parts.flatMap(standingOf));
    const refused = parts.flatMap(({ refused, subject }) => (refused === undefined ? [] : [faultOf(refused, subject)]));
    if (refused.length === 0) return ok(this.#taken(parts, tokens, outputLimit, background));
    for (const { subject, meter, share } of parts)
      if (share !== undefined) meter.release(subject.limits, share, background);
    return { ok: false, fault: longest(refused) };
  }

  /** From leases first; what they do not cover is asked for, all at once. */
  async #fill(parts: readonly Part[], endMs: number, nothingElse: boolean, background: Background): Promise<void> {
    const missing: Part[] = [];
    for (const part of parts) {
      part.share = part.meter.take(part.subject.limits, part.call, endMs, background);
      if (part.share === undefined) missing.push(part);
    }
    const sure = nothingElse && missing.length === 1;
    await Promise.all(
      missing.map(async (part) => {
        const answered = await part.meter.ask(part.subject.limits, part.call, endMs, sure, background);
        if (answered.kind === "granted") part.share = answered.share;
        else part.refused = answered;
      }),
    );
  }

  #taken(
    parts: readonly Part[],
    tokens: CallTokens | undefined,
    outputLimit: number | undefined,
    background: Background,
  ): Taken {
    return {
      ...(outputLimit === undefined ? {} : { outputLimit }),
      begin: () => {
        const held = parts.flatMap((part) => {
          const share = part.share && part.meter.begin(part.share);
          return share === undefined ? [] : [{ ...part, share }];
        });
        if (held.length === 0) return undefined;
        return {
          settle: (used) => {
            const spent = used && spentOf(used, tokens);
            for (const { subject, meter, share } of held) {
              meter.settle(
                subject.limits,
                share,
                spent === undefined ? {} : amountsOf(subject.limits, spent),
                background,
              );
            }
          },
        };
      },
      release: () => {
        for (const { subject, meter, share } of parts)
          if (share !== undefined) meter.release(subject.limits, share, background);
      },
    };
  }

  #meterOf(name: string): SubjectMeter {
    const known = this.#meters.get(name);
    if (known !== undefined) return known;
    if (this.#meters.size >= subjectsMax) {
      const oldest = this.#meters.keys().next().value;
      if (oldest !== undefined) this.#meters.delete(oldest);
    }
    const fresh = new SubjectMeter(name, this.#deps);
    this.#meters.set(name, fresh);
    return fresh;
  }
}

/** What is not known to be used was reserved, and may have been. */
function spentOf({ inputTokens, outputTokens }: Used, reserved: CallTokens | undefined): CallTokens {
  return { input: inputTokens ?? reserved?.input ?? 0, output: outputTokens ?? reserved?.output ?? 0 };
}

function standingOf({ subject, meter, refused }: Part): readonly StandingLimit[] {
  return meter.states().map(({ measure, left, ...state }) => ({
    ...state,
    name: subject.prefix + nameOf(measure),
    unit: measure === "in_flight" ? "calls" : measure.startsWith("requests") ? "requests" : "tokens",
    left: refused?.kind === "refused" && refused.measure === measure ? 0 : left,
  }));
}

/** `requests` and `tokens` are per minute. */
function nameOf(measure: Measure): string {
  return measure.replace("_per_minute", "").replace("_per_", "-").replaceAll("_", "-");
}

function faultOf(refused: Exclude<Answered, { kind: "granted" }>, { prefix }: Subject): Fault {
  if (refused.kind === "closed") return { code: "invalid_credentials" };
  const { measure, retryAfterMs } = refused;
  return { code: codeOf(measure), retryAfterMs, detail: `Limit: ${prefix}${nameOf(measure)}.` };
}

function codeOf(measure: Measure): ErrorCode {
  if (measure === "in_flight") return "too_many_in_flight";
  return measure.startsWith("requests") ? "rate_limited" : "tokens_limited";
}

/** A caller who waits for the limit that takes longest has waited for the others; one whose key is revoked waits in vain. */
function longest(faults: readonly Fault[]): Fault {
  const wait = ({ retryAfterMs }: Fault) => retryAfterMs ?? Number.POSITIVE_INFINITY;
  return faults.reduce((most, fault) => (wait(fault) > wait(most) ? fault : most));
}
