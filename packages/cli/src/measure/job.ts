import type { Tensors } from "@ledge/contract";

/** What both engines are asked to do: the same file, the same feeds, the same counting. Plain data: it crosses processes. */
export interface MeasureJob {
  /** Where the graph lies on this machine. */
  readonly graph: string;
  /** Files of weights: the path in the graph, and where each lies. */
  readonly externals: readonly { readonly location: string; readonly path: string }[];
  readonly runs: readonly { readonly rows: number; readonly feeds: Tensors }[];
  /** Run once at the end in the WASM build: the most that its heap must hold. */
  readonly largest?: Tensors;
  /** Milliseconds spent on counting one batch size. */
  readonly countMs: number;
}

export interface EngineFigures {
  /** From the bytes in memory to a session that can run, milliseconds. */
  readonly loadMs: number;
  readonly runs: readonly RunFigures[];
  /** WebAssembly linear memory after the last run, bytes; only of the WASM build. */
  readonly heapBytes?: number;
}

export interface RunFigures {
  readonly rows: number;
  /** Median of one run, milliseconds. */
  readonly medianMs: number;
  readonly outputs: Tensors;
  /** The same run with the engine's optimisations off: how far mere rounding moves this model. Only of the native engine. */
  readonly plainOutputs?: Tensors;
}

/** What a measuring process says: steps on the way, then one end. */
export type ChildMessage =
  | { readonly kind: "step"; readonly done: number; readonly of: number }
  | { readonly kind: "done"; readonly figures: EngineFigures }
  | { readonly kind: "failed"; readonly message: string };
