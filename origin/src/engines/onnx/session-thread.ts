import { Worker } from "node:worker_threads";
import { fail, type Result, type Tensors } from "@ledge/contract";
import { Gate } from "../../admit/gate.ts";
import type { FromSession, Opened, SessionOrder, ToSession } from "./session-messages.ts";
import { type Spawn, startThread } from "./start-thread.ts";

const program = new URL("session-worker.ts", import.meta.url);
const spawnSession: Spawn<SessionOrder> = (order) => new Worker(program, { workerData: order, execArgv: [] });

type Names = Extract<Opened, { kind: "open" }>;

/** A graph in a thread of its own. The rest of the process goes on while it runs; its own runs go one after the other. */
export class SessionThread {
  /** The turn to run: whoever leaves the queue early was never run. */
  readonly turns = new Gate({ runningMax: 1, waitingMax: Number.POSITIVE_INFINITY }, () => performance.now());
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #order: SessionOrder;
  readonly #spawn: Spawn<SessionOrder>;
  readonly #waiting = new Map<number, (outcome: Result<Tensors>) => void>();
  #worker: Worker;
  #ids = 0;
  /** Why the thread has ended by itself. */
  #died: string | undefined;
  #closed = false;

  private constructor(order: SessionOrder, spawn: Spawn<SessionOrder>, worker: Worker, names: Names) {
    this.#order = order;
    this.#spawn = spawn;
    this.inputNames = names.inputNames;
    this.outputNames = names.outputNames;
    this.#worker = this.#follow(worker);
  }

  /** Starts a thread and opens the graph. Throws an Error with ONNX Runtime's words when it does not take it. */
  static async open(order: SessionOrder, spawn: Spawn<SessionOrder> = spawnSession): Promise<SessionThread> {
    const [worker, names] = await start(order, spawn);
    return new SessionThread(order, spawn, worker, names);
  }

  /** Runs the graph. Faults: `upstream_failed` when it breaks, or its thread does; the next run starts another. */
  async run(feeds: Tensors, wanted: readonly string[]): Promise<Result<Tensors>> {
    if (this.#died !== undefined) {
      if (this.#closed) return dead("it is closed");
      try {
        this.#worker = this.#follow((await start(this.#order, this.#spawn))[0]);
      } catch (error) {
        return dead(String(error));
      }
      this.#died = undefined;
    }
    const id = this.#ids++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.postMessage({ id, feeds, wanted } satisfies ToSession);
    });
  }

  /** Ends the thread, and the session with it, once the run that it is in is over. */
  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    if (this.#closed || this.#died !== undefined) return;
    this.#closed = true;
    this.#worker.postMessage("close" satisfies ToSession);
    await gone;
  }

  #follow(worker: Worker): Worker {
    worker.on("message", (message: FromSession) => {
      if (message.kind === "done") this.#settle(message.id, message.outcome);
    });
    worker.on("error", (error) => this.#die(String(error)));
    worker.on("exit", (code) => this.#die(`it ended with code ${code}`));
    return worker;
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

async function start(order: SessionOrder, spawn: Spawn<SessionOrder>): Promise<readonly [Worker, Names]> {
  const [worker, opened] = await startThread<SessionOrder, Opened>(spawn, order);
  if (opened.kind === "open") return [worker, opened];
  await worker.terminate();
  throw new Error(opened.reason);
}

function dead(why: string): Result<never> {
  return fail("upstream_failed", { cause: `the session's thread is gone: ${why}` });
}
