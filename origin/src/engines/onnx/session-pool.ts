import type { Machine } from "./providers.ts";
import { type Provider, providerFor } from "./providers.ts";
import { SessionThread } from "./session-thread.ts";

export interface PoolSettings {
  /** Threads of ONNX Runtime for one run. */
  readonly threads: number;
  /** Where graphs are to run; `auto` goes by what the machine has. */
  readonly provider: Provider | "auto";
  readonly machine: () => Promise<Machine>;
  /** Told where each graph runs, and why. */
  readonly say: (what: string) => void;
}

/** A session, lent. */
export interface Lease {
  readonly session: SessionThread;
  /** Gives it back; the last one ends the session. Giving back twice counts once. */
  giveBack(): Promise<void>;
}

interface Shared {
  readonly opening: Promise<SessionThread>;
  leases: number;
}

/** The sessions of this process. Versions whose graphs have the same digest share one. */
export class SessionPool {
  readonly #settings: PoolSettings;
  readonly #shared = new Map<string, Shared>();

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /** Sessions that are open or opening. */
  get size(): number {
    return this.#shared.size;
  }

  /** `digest` tells graphs apart, their external data included. Throws an Error with ONNX Runtime's words. */
  async lease(digest: string, path: string, name: string): Promise<Lease> {
    const known = this.#shared.get(digest);
    const shared = known ?? { opening: this.#open(path, name), leases: 0 };
    shared.leases += 1;
    this.#shared.set(digest, shared);
    let held = true;
    const giveBack = async () => {
      if (!held) return;
      held = false;
      shared.leases -= 1;
      if (shared.leases > 0) return;
      if (this.#shared.get(digest) === shared) this.#shared.delete(digest);
      await shared.opening.then(
        (session) => session.close(),
        () => undefined,
      );
    };
    try {
      return { session: await shared.opening, giveBack };
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  /** On the provider that was chosen; one that the machine seemed to have and that does not take the graph is passed over for the CPU. */
  async #open(path: string, name: string): Promise<SessionThread> {
    const { threads, provider: asked, machine, say } = this.#settings;
    const { provider, reason } = providerFor(asked, await machine());
    try {
      const session = await SessionThread.open({ path, threads, provider });
      say(`${name} runs on ${provider}: ${reason}`);
      return session;
    } catch (error) {
      if (provider === "cpu" || asked !== "auto") throw error;
      const session = await SessionThread.open({ path, threads, provider: "cpu" });
      say(`${name} runs on cpu: ${provider} does not take it (${String(error).slice(0, 300)}).`);
      return session;
    }
  }
}
