import type { Result, Tensors } from "@ledge/contract";
import type { Provider } from "./providers.ts";

/** What a session's thread and the rest of the process say to each other. Tensors are copied. */

/** Given to the thread when it starts: it opens the graph and says {@link Opened}. */
export interface SessionOrder {
  /** The graph's file. External data is read from beside it. */
  readonly path: string;
  /** Threads of ONNX Runtime for one run. */
  readonly threads: number;
  readonly provider: Provider;
}

export type Opened =
  | { readonly kind: "open"; readonly inputNames: readonly string[]; readonly outputNames: readonly string[] }
  | { readonly kind: "refused"; readonly reason: string };

export interface RunOrder {
  readonly id: number;
  readonly feeds: Tensors;
  readonly wanted: readonly string[];
}

/** To the thread: a run, or the end. It ends by itself: one that is stopped within a run takes the process along. */
export type ToSession = RunOrder | "close";

export interface RunDone {
  readonly kind: "done";
  readonly id: number;
  readonly outcome: Result<Tensors>;
}

export type FromSession = Opened | RunDone;
