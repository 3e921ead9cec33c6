import type { Session } from "../run/run-session.ts";
import { type Need, runtimeBytes } from "./plan-room.ts";

/** An ONNX Runtime with a memory of its own. */
export interface Runtime {
  heapBytes(): number;
  /** True after a trap: nothing in it may be used any more. */
  isBroken(): boolean;
  /**
   * @param externalData the package's files, by their path from the graph's folder
   * @throws Error from ONNX Runtime, when the graph is broken or memory is short
   */
  open(graph: Uint8Array, externalData: ReadonlyMap<string, Uint8Array>): Promise<Session>;
}

/** A runtime and the models in it. */
export interface Host {
  readonly runtime: Runtime;
  readonly ownRuntime: boolean;
  readonly digests: Set<string>;
}

/** The runtimes of the isolate: one that small models share, and one for each large model. */
export class Hosts {
  readonly #start: () => Runtime;
  readonly #hosts = new Set<Host>();
  /** A runtime that was let go and may not be collected yet: the next large model takes it instead of more memory. */
  #former: WeakRef<Host> | undefined;

  constructor(start: () => Runtime) {
    this.#start = start;
  }

  get heapBytes(): number {
    let sum = 0;
    for (const { runtime } of this.#hosts) sum += runtime.heapBytes();
    return sum;
  }

  get sharedHeapBytes(): number {
    const shared = [...this.#hosts].filter(({ ownRuntime }) => !ownRuntime);
    return shared.reduce((sum, { runtime }) => sum + runtime.heapBytes(), 0);
  }

  /** Models whose runtime trapped. */
  broken(): readonly string[] {
    const broken: string[] = [];
    for (const { runtime, digests } of this.#hosts) if (runtime.isBroken()) broken.push(...digests);
    return broken;
  }

  /** Where a model goes. */
  take(need: Need): Host {
    const host = this.#usable(need) ?? { runtime: this.#start(), ownRuntime: need.ownRuntime, digests: new Set() };
    this.#hosts.add(host);
    return host;
  }

  /** Lets runtimes without models go, and their memory with them. */
  dropEmpty(): void {
    for (const host of this.#hosts) {
      if (host.digests.size > 0) continue;
      this.#hosts.delete(host);
      if (host.ownRuntime) this.#former = new WeakRef(host);
    }
  }

  #usable(need: Need): Host | undefined {
    if (!need.ownRuntime) return [...this.#hosts].find(({ ownRuntime, runtime }) => !ownRuntime && !runtime.isBroken());
    const former = this.#former?.deref();
    this.#former = undefined;
    // Its memory is as large as it ever was: it must be no more than room was made for.
    const fits = former !== undefined && former.runtime.heapBytes() <= runtimeBytes + need.bytes;
    return fits && !former.runtime.isBroken() ? former : undefined;
  }
}
