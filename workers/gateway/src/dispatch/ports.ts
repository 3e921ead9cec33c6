import type { PredictAnswer, PredictCall, Result } from "@ledge/contract";

/** What every call to a tier carries. */
export interface Journey {
  readonly requestId: string;
  /** Absolute, milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
}

/** A tier that classifies. Failures are values; nothing is thrown. */
export interface Classifier {
  predict(call: PredictCall, journey: Journey): Promise<Result<PredictAnswer>>;
}

/** The origin's chat. The value is its HTTP answer with status 200: a stream of events or one JSON document. */
export interface ChatEngine {
  chat(body: object, journey: Journey): Promise<Result<Response>>;
}

/** Whether a tier can answer now. */
export interface Readiness {
  ready(journey: Journey): Promise<boolean>;
}
