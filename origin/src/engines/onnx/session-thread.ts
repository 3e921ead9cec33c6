import { Worker } from "node:worker_threads";
import { fail, type Result, type Tensors } from "@ledge/contract";
import { Gate } from "../../admit/gate.ts";
import type { FromSession, Opened, SessionOrder } from "./session-messages.ts";

const program = new URL("session-worker.ts", import.meta.url);

/** A graph in a thread of its own. The rest of the process goes on while it runs; its own runs go one after the other. */
export class SessionThread {
  /** The turn to run: whoever leaves the queue early was never run. */
  readonly turns = new Gate({ runningMax: 1, waitingMax: Number.POSITIVE_INFINITY }, () => performance.now());
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (outcome: Result<Tensors>) => void>();
  #ids = 0;
  /** Why the thread has ended by itself. */
  #died: string | undefined;

  private constructor(worker: Worker, opened: Extract<Opened, { kind: "open" }>) {
    this.#worker = worker;
    this.inputNames = opened.inputNames;
    this.outputNames = opened.outputNames;
    worker.on("message", (message: FromSession) => {
      if (message.kind === "done") this.#settle(message.id, message.outcome);
    });
    worker.on("error", (error) => this.#die(String(error)));
    worker.on("exit", (code) => this.#die(`it ended with code ${code}`));
  }

  /** Starts a thread and opens the graph. Throws an Error with ONNX Runtime's words when it does not take it. */
  static async open(order: SessionOrder): Promise<SessionThread> {
    const worker = new Worker(program, { workerData: order, execArgv: [] });
    const opened = await new Promise<Opened>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`The session's thread ended with code ${code}.`)));
    });
    worker.removeAllListeners("error").removeAllListeners("exit");
    if (opened.kind === "open") return new SessionThread(worker, opened);
    await worker.terminate();
    throw new Error(opened.reason);
  }

  /** Runs the graph. Faults: `upstream_failed` when it breaks, or its thread has. */
  run(feeds: Tensors, wanted: readonly string[]): Promise<Result<Tensors>> {
    if (this.#died !== undefined) return Promise.resolve(dead(this.#died));
    const id = this.#ids++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.postMessage({ id, feeds, wanted });
    });
  }

  /** Ends the thread, and the session with it. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(id: number, outcome: Result<Tensors>): void {
    this.#waiting.get(id)?.(outcome);
    this.#waiting.delete(id);
  }

  #die(why: string): void {
    this.#died ??= why.slice(0, 500);
    for (const id of this.#waiting.keys()) this.#settle(id, dead(this.#died));
  }
}

function dead(why: string): Result<never> {
  return fail("upstream_failed", { cause: `the session's thread is gone: ${why}` });
}
