/** One flight: equal calls, of which one at a time does the work. Who that is, and when another takes its place. */

/** The longest that a waiter stays with a leader it hears nothing of, milliseconds. */
export const flightLeaseMsMax = 10_000;
/** How often work may fail before its fault is everybody's: the first try and two successors. */
export const flightFailuresMax = 3;
/** How often a silent leader is replaced. It may yet answer, so this counts apart: silence is no failure. */
export const flightReplacedMax = 2;
/** How long an answer stays for who asked for it in vain elsewhere a moment ago, milliseconds. */
export const flightKeptMs = 2_000;

export type FlightState =
  /** Nobody leads: nobody has asked yet, or the leader failed or left. */
  | ({ readonly kind: "vacant" } & FlightPast)
  | ({
      readonly kind: "led";
      /** When the leader was last heard of, milliseconds since 1970. */
      readonly heardMs: number;
      /** Whether its answer has begun to come, as a stream. */
      readonly flows: boolean;
    } & FlightPast &
      FlightOrigin)
  /** The result is here, `kept` or only for those who wait already. */
  | ({ readonly kind: "over"; readonly atMs: number; readonly kept: boolean } & FlightOrigin);

/** What has been of a flight that goes on. */
interface FlightPast {
  /** Leaders so far, which is also the number of the latest. */
  readonly leads: number;
  /** Of those, how many failed, and how many were silent for so long that another took their place. */
  readonly failures: number;
  readonly replaced: number;
}

interface FlightOrigin {
  /** When what the leader has landed elsewhere, before it was asked for there: milliseconds since 1970. Absent: it was made for this flight. */
  readonly landedMs?: number;
}

export const flightVacant: FlightState = { kind: "vacant", leads: 0, failures: 0, replaced: 0 };

/** One who wants the answer. Milliseconds since 1970. */
export interface FlightWaiter {
  readonly sinceMs: number;
  readonly deadlineMs: number;
  /** What landed before is too old for it; absent: nothing that is kept is. */
  readonly landedAfterMs?: number;
}

export type FlightDecision =
  | { readonly kind: "lead"; readonly lead: number }
  /** There is nothing yet: ask again when something changes, and then at the latest. */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** The leader's stream, as far as it is here. */
  | { readonly kind: "flow" }
  | { readonly kind: "result" }
  /** What there is landed too long ago for this waiter, who is to look elsewhere. */
  | { readonly kind: "alone" };

/**
 * What a waiter does now. The lead goes to whoever asks first when nobody has it, so it is never handed to one who has
 * left; and to a waiter for whom the leader has been silent for ten seconds, or for half of the time that was left to it.
 */
export function askFlight(
  state: FlightState,
  { sinceMs, deadlineMs, landedAfterMs }: FlightWaiter,
  nowMs: number,
): readonly [FlightDecision, FlightState] {
  // What was made while it waited is never too old for it, whatever the clocks of two places say.
  if (earlier(landedElsewhereMs(state), landedAfterMs)) return [{ kind: "alone" }, state];
  if (state.kind === "over") return [{ kind: "result" }, state];
  if (state.kind === "vacant") return takeLead(state, nowMs);
  const fromMs = Math.max(sinceMs, state.heardMs);
  const patientUntilMs = fromMs + Math.min(flightLeaseMsMax, Math.max(0, (deadlineMs - fromMs) / 2));
  const replaceable = state.replaced < flightReplacedMax;
  if (replaceable && nowMs >= patientUntilMs) return takeLead({ ...state, replaced: state.replaced + 1 }, nowMs);
  if (state.flows) return [{ kind: "flow" }, state];
  return [{ kind: "wait", untilMs: replaceable ? patientUntilMs : deadlineMs }, state];
}

function takeLead({ leads, failures, replaced }: FlightPast, nowMs: number) {
  const lead = leads + 1;
  return [
    { kind: "lead", lead },
    { kind: "led", leads: lead, failures, replaced, heardMs: nowMs, flows: false },
  ] as const;
}

/** Whether this leader was not replaced. One that was replaced may still land, but neither fail nor pour. */
export function leads(state: FlightState, lead: number): boolean {
  return state.kind === "led" && state.leads === lead;
}

/** The leader has begun to pour its answer, or has poured more of it; `landedMs`: when that landed elsewhere, if it had. */
export function heardFlight(state: FlightState, lead: number, nowMs: number, landedMs?: number): FlightState {
  if (state.kind !== "led" || state.leads !== lead) return state;
  return { ...state, heardMs: nowMs, flows: true, ...from(landedMs) };
}

/**
 * A result for all, from whichever leader had it first; `kept` for who comes a moment later, which a fault is not; `landedMs`:
 * when it landed elsewhere, if it had.
 */
export function landFlight(state: FlightState, nowMs: number, kept = true, landedMs?: number): FlightState {
  return state.kind === "over" ? state : { kind: "over", atMs: nowMs, kept, ...from(landedMs) };
}

function from(landedMs: number | undefined): FlightOrigin {
  return landedMs === undefined ? {} : { landedMs };
}

/** The leader failed in a way that another may not: somebody else's turn, or, the third time, the end for those who wait. */
export function failFlight(state: FlightState, lead: number, nowMs: number): FlightState {
  if (state.kind !== "led" || state.leads !== lead) return state;
  const failures = state.failures + 1;
  return failures < flightFailuresMax
    ? { kind: "vacant", leads: lead, failures, replaced: state.replaced }
    : { kind: "over", atMs: nowMs, kept: false };
}

/** The leader left or died, which says nothing about the work: somebody else's turn. */
export function leaveFlight(state: FlightState, lead: number): FlightState {
  if (state.kind !== "led" || state.leads !== lead) return state;
  const { failures, replaced } = state;
  return { kind: "vacant", leads: lead, failures, replaced };
}

/** Whether who comes now is too late for this flight, and begins the next one. */
export function flightIsOver(state: FlightState, nowMs: number, landedAfterMs?: number): boolean {
  const past = state.kind === "over" && (!state.kept || nowMs >= state.atMs + flightKeptMs);
  return past || earlier(flightLandedMs(state), landedAfterMs);
}

/** When what a flight has to give was there, milliseconds since 1970; `undefined` while it is being made. */
export function flightLandedMs(state: FlightState): number | undefined {
  return landedElsewhereMs(state) ?? (state.kind === "over" ? state.atMs : undefined);
}

function landedElsewhereMs(state: FlightState): number | undefined {
  return state.kind === "vacant" ? undefined : state.landedMs;
}

function earlier(landedMs: number | undefined, landedAfterMs = 0): boolean {
  return landedMs !== undefined && landedMs < landedAfterMs;
}
