import type { Fault } from "@ledge/contract";
import type { AnswerIdentity, CacheOutcome, CacheWish } from "@ledge/policy";
import type { Flight } from "./ports.ts";
import type { Near } from "./semantic/near.ts";

/** One call, as far as the cache is concerned. */
export interface CacheCall {
  readonly identity: Omit<AnswerIdentity, "partition" | "vary">;
  readonly wish: CacheWish;
  /** A request header, for what the policy's `vary` names. */
  readonly header: (name: string) => string | null;
  /** Whether equal calls may be answered differently: such answers are kept only when the caller says for how long. */
  readonly sampled: boolean;
  /** What may be answered by its meaning, worked out only where that is switched on; absent or `undefined`: nothing of this call. */
  readonly prompt?: () => Prompt | undefined;
  /** How far equal misses wait for one another, unless the policy says. */
  readonly reach: Flight["reach"];
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface Prompt {
  readonly text: string;
  /** Everything else that can change the answer, as canonical JSON: it must be the same to the letter. */
  readonly context: string;
}

/** A kept answer that serves the call. */
export interface Found {
  readonly kind: "found";
  /** As it was kept; not to be changed. */
  readonly value: unknown;
  /** How the call is reported. */
  readonly outcome: CacheOutcome;
  /** Set when the answer is stale and this call is to have a fresh one kept behind it. */
  readonly refresh?: Miss;
}

/** Nothing kept serves the call. */
export interface Miss {
  readonly kind: "miss";
  /** What equal calls wait for; absent when this one goes on its own. */
  readonly flight?: Pick<Flight, "slot" | "reach" | "landedAfterMs" | "waitUntil">;
  /** The way to answers of like prompts; absent where the semantic cache is off. */
  readonly near?: Near;
  /** How the call is reported when nothing of it is kept. */
  readonly outcome: CacheOutcome;
  /** How it is reported when what it gets is kept: for streams, which say so before they are whole. Absent: nothing will be kept. */
  readonly stored?: CacheOutcome;
  /** How it is reported when an equal call's work answered it. */
  readonly collapsed: CacheOutcome;
  /** Keeps a complete success behind the answer: plain JSON, which nobody changes any more. Tells how the call is reported then. */
  keep(value: unknown): CacheOutcome;
  /** A stale answer in place of a failure, where the policy's window and the caller allow one. */
  insteadOf(fault: Fault): Found | undefined;
}
