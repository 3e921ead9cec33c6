import type { ChatRequest, Result } from "@ledge/contract";
import type { ChatEvent, EngineModel } from "../engine.ts";
import type { ModelPackage } from "../model-package.ts";

/** What a language model's thread and the rest of the process say to each other. Every exchange has a number. */

/** Given to the thread when it starts: it loads the model and says {@link Loaded}. */
export interface GeneratorOrder {
  readonly pack: ModelPackage;
  /** Threads of ONNX Runtime for one step. */
  readonly threads: number;
}

export type Loaded =
  | { readonly kind: "loaded"; readonly model: EngineModel }
  /** `mend`: the reason is a sentence for the operator. */
  | { readonly kind: "refused"; readonly reason: string; readonly mend: boolean };

export type ToGenerator =
  | { readonly kind: "prepare"; readonly id: number; readonly request: ChatRequest }
  | { readonly kind: "run"; readonly id: number; readonly request: ChatRequest }
  | { readonly kind: "stop"; readonly id: number }
  /** It ends by itself, after the step that it is in: a thread that is stopped within one takes the process along. */
  | { readonly kind: "close" };

export type FromGenerator =
  | Loaded
  | { readonly kind: "prepared"; readonly id: number; readonly outcome: Result<{ readonly promptTokens?: number }> }
  | { readonly kind: "event"; readonly id: number; readonly event: ChatEvent }
  | { readonly kind: "ended"; readonly id: number };
