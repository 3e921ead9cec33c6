import type {
  ChatRequest,
  Fault,
  FinishReason,
  PredictAnswer,
  PredictCall,
  Result,
  Task,
  Tensors,
} from "@ledge/contract";

/** A model as the origin lists it. */
export interface EngineModel {
  readonly name: string;
  readonly version: string;
  readonly task: Task;
  /** SHA-256 of the package's document, hex: what tells packages apart. A scripted model has none. */
  readonly digest?: string;
}

/** One event of a generation. The last one is `end` or `fault`; after a fired signal there is neither. */
export type ChatEvent =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "end";
      readonly finishReason: FinishReason;
      readonly promptTokens: number;
      readonly completionTokens: number;
    }
  | { readonly kind: "fault"; readonly fault: Fault };

/**
 * Starts a generation that was found to be possible. It ends within one token of the signal; iterating it to the end
 * or returning early frees everything it holds. A throw is a bug or a dead engine.
 */
export type ChatRun = (signal: AbortSignal) => AsyncIterable<ChatEvent>;

/** A generation that was found to be possible. */
export interface PreparedChat {
  readonly promptTokens: number;
  readonly run: ChatRun;
}

/** What answers for one model. The caller holds a permit while it runs `predict`, `infer` or a `ChatRun`. */
export interface Engine {
  readonly model: EngineModel;
  /**
   * Answers a batch. Faults: `invalid_shape` when an input is none the model takes, `deadline_exceeded` when the signal fired,
   * `upstream_failed` when the engine broke.
   */
  predict?(call: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>>;
  /**
   * Tensors to tensors, the outputs that are named or all. Faults as `predict`; `invalid_shape` for tensors that do not fit the
   * graph and outputs it does not have.
   */
  infer?(feeds: Tensors, outputs: readonly string[] | undefined, signal: AbortSignal): Promise<Result<Tensors>>;
  /**
   * Checks and prepares an exchange; costs no slot. Faults: `unsupported_parameter`, `invalid_request`,
   * `context_length_exceeded`.
   */
  chat?(request: ChatRequest): Result<PreparedChat>;
  /** Frees memory and connections. Nothing may be running. */
  close(): Promise<void>;
}
