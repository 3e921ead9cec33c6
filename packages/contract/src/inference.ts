import type { ChatRequest } from "./chat.ts";
import type { CapacityShare, PackageRef, PredictAnswer, PredictCall, RunTimings } from "./predict.ts";
import type { Result } from "./result.ts";
import type { Tensors } from "./tensor.ts";

/** Raw tensors for a graph's own inputs. The first dimension is the batch where the manifest says −1. */
export interface InferCall extends PackageRef {
  readonly inputs: Tensors;
  /** Outputs wanted, in any order; all when absent. */
  readonly outputs?: readonly string[];
  /** When nobody wants the answer any more, milliseconds since 1970. */
  readonly deadlineMs?: number;
  readonly share?: CapacityShare;
}

export interface InferAnswer {
  readonly outputs: Tensors;
  readonly timings: RunTimings;
}

/** What a model is given to read: texts, each by itself, or a chat as OpenAI's clients send it. */
export type Prompt = { readonly texts: readonly string[] } | { readonly chat: ChatRequest };

export interface CountCall extends PackageRef {
  readonly prompt: Prompt;
}

/** A model that was loaded and warmed. */
export interface LoadReport {
  /** Milliseconds from the first byte fetched to the end of the last warm-up run; 0 when it was loaded already. */
  readonly loadMs: number;
  /** Batch sizes that were warmed. */
  readonly warmed: readonly number[];
  /** ONNX Runtime's heap afterwards, bytes. */
  readonly wasmHeapBytes: number;
}

/** What one isolate of the inference Worker tells of itself. */
export interface InferenceReport {
  readonly models: readonly {
    readonly name: string;
    readonly version: string;
    readonly digest: string;
    readonly loaded: boolean;
  }[];
  /** WebAssembly linear memory of all runtimes of ONNX Runtime in the isolate, bytes. 0 before the first model is loaded. */
  readonly wasmHeapBytes: number;
  /** Rows waiting. */
  readonly queued: number;
  /** Milliseconds it took to load and warm what is loaded; absent before anything was. */
  readonly loadMs?: number;
  /** Runs by rows in the batch, since the isolate started: what batching did. */
  readonly batches: Readonly<Record<string, number>>;
}

/** The inference Worker's RPC surface. Every expected failure is a value; a throw is a bug or a dead Worker. */
export interface InferenceService {
  /** Inputs through the package's own steps. Faults: `model_not_found`, `model_not_ready`, `overloaded`, `invalid_shape`, `upstream_failed`. */
  predict(call: PredictCall): Promise<Result<PredictAnswer>>;
  /** Tensors to tensors. Faults as {@link predict}. */
  infer(call: InferCall): Promise<Result<InferAnswer>>;
  /**
   * How many tokens a prompt is, as the package's tokenizer and chat template say it: what its engine will say that it read. No
   * graph is loaded for it. Any fault means that it is not known here: of packages without a tokenizer, or with one that is too
   * large, and of chats that more than their messages go into.
   */
  count(call: CountCall): Promise<Result<number>>;
  /** Fetches, verifies every digest, and runs the warm-up samples. Faults: `model_not_ready`, whose cause says why. */
  load(model: PackageRef): Promise<Result<LoadReport>>;
  /** Lets what runs finish, then frees the model. Resolves when nothing of it is left in this isolate. */
  unload(model: PackageRef): Promise<Result<{ readonly unloaded: boolean }>>;
  /** Loads what this isolate should have at hand, so that the first caller does not pay for it. */
  warm(): Promise<Result<InferenceReport>>;
  report(): Promise<InferenceReport>;
}
