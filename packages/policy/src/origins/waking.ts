/**
 * A model that is being woken, as isolates tell of it in one place: one of them asks its origin, and the others wait for what it
 * says. Rounds are counted, so that who waited for one hears how that ended, and who comes later begins another.
 */
export type Waking =
  | {
      readonly kind: "waking";
      readonly round: number;
      readonly origin: string;
      /** The isolate that asks. One that was cut off says nothing any more: after `untilMs` another does. */
      readonly holder: string;
      readonly untilMs: number;
    }
  | { readonly kind: "ended"; readonly round: number; readonly origin: string; readonly awake: boolean };

/** What an isolate asks. */
export interface WakingAsk {
  readonly isolate: string;
  /** The origin that told it that the model is asleep. */
  readonly origin: string;
  /** The round that it waits for; absent when it has just come. */
  readonly round?: number | undefined;
  /** How the origin that it asked said that it ended. */
  readonly ended?: "awake" | "failed" | undefined;
}

/** What it is to do: ask this origin to wake, wait, or go on. */
export type WakingTask =
  | { readonly kind: "ask" | "wait"; readonly round: number; readonly origin: string }
  | { readonly kind: "ended"; readonly round: number; readonly origin: string; readonly awake: boolean };

/** Whoever asks an origin comes back within this time. */
export const wakingLeaseMs = 15_000;

/** The task, and how the waking stands after it. */
export function wakingTask(waking: Waking | undefined, ask: WakingAsk, nowMs: number): readonly [WakingTask, Waking] {
  if (waking?.kind === "ended" && waking.round === ask.round) return [waking, waking];
  if (waking?.kind !== "waking") return begun((waking?.round ?? 0) + 1, ask, nowMs);
  const { round, origin, holder } = waking;
  if (holder !== ask.isolate && nowMs < waking.untilMs) return [{ kind: "wait", round, origin }, waking];
  if (ask.ended !== undefined && ask.round === round) {
    const ended = { kind: "ended", round, origin, awake: ask.ended === "awake" } as const;
    return [ended, ended];
  }
  // The same origin, whoever asks: it may be about to wake.
  return begun(round, { ...ask, origin }, nowMs);
}

function begun(round: number, { isolate, origin }: WakingAsk, nowMs: number): readonly [WakingTask, Waking] {
  const waking = { kind: "waking", round, origin, holder: isolate, untilMs: nowMs + wakingLeaseMs } as const;
  return [{ kind: "ask", round, origin }, waking];
}
