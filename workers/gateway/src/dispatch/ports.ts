import type {
  CapacityShare,
  ErrorCode,
  InferAnswer,
  InferCall,
  PredictAnswer,
  PredictCall,
  Result,
} from "@ledge/contract";
import type { Paces } from "./paces.ts";

/** What every call to a tier carries. */
export interface Journey {
  readonly requestId: string;
  /** Absolute, milliseconds since 1970. */
  readonly deadlineMs: number;
  /** The request's own, which aborts when the runtime learns that the caller has gone. */
  readonly signal: AbortSignal;
  /** Whose part of a tier's capacity it takes; absent for work that is nobody's. */
  readonly share?: CapacityShare;
  /** Who pays, for the origin's journal; absent for what nobody asked for. */
  readonly payer?: string;
  /** Where the caller is, as far as the platform knows: `EU`. */
  readonly continent?: string;
  /** Another model may answer in place of one that has to be woken. */
  readonly hasFallback?: boolean;
  /** The origin that is to be asked only when no other can: what it said before broke off. */
  readonly avoid?: string;
  /** Told which origin answers, and after what (`Ledge-Origin`). */
  readonly heard?: (origin: string | undefined) => void;
}

/** The dispatch Worker, which knows the origins. A throw means that it cannot be reached. */
export interface Origins {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** A chat as it is sent on: of a version, `name@version`. */
export interface ChatBody {
  readonly model: string;
}

/** A tier that classifies. Failures are values; nothing is thrown. */
export interface Classifier {
  predict(call: PredictCall, journey: Journey): Promise<Result<PredictAnswer>>;
}

/** A tier that runs graphs on tensors. Failures are values; nothing is thrown. */
export interface TensorEngine {
  infer(call: InferCall, journey: Journey): Promise<Result<InferAnswer>>;
}

/** A tier that chats. `body` is OpenAI's, and so is what comes back. Failures are values; nothing is thrown. */
export interface ChatEngine {
  /** One whole JSON document. */
  complete(body: ChatBody, journey: Journey): Promise<Result<ChatText>>;
  /** Server-sent events, as they come. */
  stream(body: ChatBody, journey: Journey): Promise<Result<ChatStream>>;
}

export interface ChatText {
  readonly text: string;
  /** Of the engine's time; `undefined` when it does not say. */
  readonly runMs: number | undefined;
}

export interface ChatStream {
  readonly body: ReadableStream<Uint8Array>;
  /** `undefined` when the engine does not say. */
  readonly promptTokens: number | undefined;
  /** Tells those who choose origins that it broke off, and how. Never throws. */
  broke(code: ErrorCode): Promise<unknown>;
}

/** By what calls are placed on tiers. */
export interface Placed {
  readonly paces: Paces;
  readonly nowMs: () => number;
}

/** Whether a tier can answer now. */
export interface Readiness {
  ready(journey: Journey): Promise<boolean>;
}
