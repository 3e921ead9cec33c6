import type {
  ChatRequest,
  ChatUsage,
  CompletionRequest,
  Fault,
  FinishReason,
  PredictAnswer,
  PredictCall,
  Result,
  Task,
  Tensors,
  WakeAnswer,
} from "@ledge/contract";

/** A model as the origin lists it. */
export interface EngineModel {
  readonly name: string;
  readonly version: string;
  readonly task: Task;
  /** SHA-256 of the package's document, hex: what tells packages apart. A scripted model has none. */
  readonly digest?: string;
}

/**
 * One event of a generation: an engine that generates says `text`, one that is a server of its own is passed on as it `said`. The
 * last one is `end` or `fault`; after a fired signal there is neither.
 */
export type ChatEvent =
  | { readonly kind: "text"; readonly text: string }
  /** A chunk of the stream that was asked for, or else the whole answer, as OpenAI writes it. */
  | { readonly kind: "said"; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly kind: "end";
      readonly finishReason: FinishReason;
      readonly promptTokens: number;
      readonly completionTokens: number;
      /** In the words of the server that said the answer. */
      readonly usage?: ChatUsage;
    }
  | { readonly kind: "fault"; readonly fault: Fault };

/** Takes the events of a generation as they come. */
export type Say = (event: ChatEvent) => void;

/**
 * Starts a generation that was found to be possible, and resolves when the engine is done with it. It ends within one token of the
 * signal, after which nothing is said. A throw is a bug or a dead engine.
 */
export type ChatRun = (signal: AbortSignal, say: Say) => Promise<void>;

/** A generation that was found to be possible, as far as the engine can tell beforehand. */
export interface PreparedChat {
  /** Absent: who counts them is the server behind, and says so at the end. */
  readonly promptTokens?: number;
  readonly run: ChatRun;
}

/** How soon a call is to be run, among those that wait for the same engine. */
export interface Urgency {
  /** 0 goes first. */
  readonly priority: number;
  /** When nobody wants the answer any more, milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Told when the engine begins to work on the call, where it waits inside, and how long it waited. */
  readonly begins?: (queuedMs: number) => void;
}

/** What answers for one model. The caller holds a permit while it runs `predict`, `infer` or a `ChatRun`. */
export interface Engine {
  readonly model: EngineModel;
  /**
   * Answers a batch. Faults: `invalid_shape` when an input is none the model takes, `deadline_exceeded` when the signal fired,
   * `upstream_failed` when the engine broke.
   */
  predict?(call: PredictCall, signal: AbortSignal, urgency?: Urgency): Promise<Result<PredictAnswer>>;
  /**
   * Tensors to tensors, the outputs that are named or all. Faults as `predict`; `invalid_shape` for tensors that do not fit the
   * graph and outputs it does not have.
   */
  infer?(
    feeds: Tensors,
    outputs: readonly string[] | undefined,
    signal: AbortSignal,
    urgency?: Urgency,
  ): Promise<Result<Tensors>>;
  /**
   * Checks and prepares an exchange; costs no slot. Faults: `unsupported_parameter`, `invalid_request`,
   * `context_length_exceeded`.
   */
  chat?(request: ChatRequest): Promise<Result<PreparedChat>>;
  /** Goes on with a text. As `chat`; only servers of their own do it. */
  complete?(request: CompletionRequest): Promise<Result<PreparedChat>>;
  /** Present where the engine may be asleep: begins to wake it, once however often it is asked, and says how that stands. */
  wake?(): WakeAnswer;
  /** Frees memory and connections. Nothing may be running. */
  close(): Promise<void>;
}
