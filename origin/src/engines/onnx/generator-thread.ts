import { Worker } from "node:worker_threads";
import { type ChatRequest, fail, ok, type Result } from "@ledge/contract";
import type { ChatEvent, Engine, EngineModel, PreparedChat, Say } from "../engine.ts";
import { type ModelPackage, StartError } from "../model-package.ts";
import type { FromGenerator, GeneratorOrder, Loaded, ToGenerator } from "./generator-messages.ts";
import { type Spawn, startThread } from "./start-thread.ts";

const program = new URL("generator-worker.ts", import.meta.url);
const spawnGenerator: Spawn<GeneratorOrder> = (order) => new Worker(program, { workerData: order, execArgv: [] });

/** Who hears of one generation. */
interface Listener {
  readonly hear: Say;
  readonly ended: () => void;
}

type Prepared = Result<{ readonly promptTokens?: number }>;

/** A language model in a thread of its own, as an engine. */
export class GeneratorThread implements Engine {
  readonly model: EngineModel;
  readonly #order: GeneratorOrder;
  readonly #spawn: Spawn<GeneratorOrder>;
  readonly #preparing = new Map<number, (outcome: Prepared) => void>();
  readonly #running = new Map<number, Listener>();
  #worker: Worker;
  #ids = 0;
  /** Why the thread has ended by itself. */
  #died: string | undefined;
  #reviving: Promise<void> | undefined;

  private constructor(order: GeneratorOrder, spawn: Spawn<GeneratorOrder>, worker: Worker, model: EngineModel) {
    this.model = model;
    this.#order = order;
    this.#spawn = spawn;
    this.#worker = this.#follow(worker);
  }

  /** Starts a thread and loads the model in it. Throws {@link StartError}, or an Error with the library's words. */
  static async load(
    pack: ModelPackage,
    threads: number,
    spawn: Spawn<GeneratorOrder> = spawnGenerator,
  ): Promise<GeneratorThread> {
    const order: GeneratorOrder = { pack, threads };
    const [worker, model] = await start(order, spawn);
    return new GeneratorThread(order, spawn, worker, model);
  }

  async chat(request: ChatRequest): Promise<Result<PreparedChat>> {
    if (this.#died !== undefined) {
      try {
        this.#reviving ??= this.#revive();
        await this.#reviving;
      } catch (error) {
        return dead(String(error));
      }
    }
    const id = this.#ids++;
    const outcome = await new Promise<Prepared>((resolve) => {
      this.#preparing.set(id, resolve);
      this.#tell({ kind: "prepare", id, request });
    });
    if (!outcome.ok) return outcome;
    return ok({ ...outcome.value, run: (signal, say) => this.#run(request, signal, say) });
  }

  async close(): Promise<void> {
    if (this.#died !== undefined) return;
    const gone = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#tell({ kind: "close" });
    await gone;
  }

  #run(request: ChatRequest, signal: AbortSignal, say: Say): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    if (this.#died !== undefined) {
      say({ kind: "fault", fault: dead(this.#died).fault });
      return Promise.resolve();
    }
    const id = this.#ids++;
    const stop = () => this.#tell({ kind: "stop", id });
    signal.addEventListener("abort", stop, { once: true });
    return new Promise((resolve) => {
      const hear = (event: ChatEvent) => {
        if (!signal.aborted) say(event);
      };
      const ended = () => {
        signal.removeEventListener("abort", stop);
        this.#running.delete(id);
        resolve();
      };
      this.#running.set(id, { hear, ended });
      this.#tell({ kind: "run", id, request });
    });
  }

  /** Another thread in place of one that died, once however many ask. */
  async #revive(): Promise<void> {
    try {
      const [worker] = await start(this.#order, this.#spawn);
      this.#worker = this.#follow(worker);
      this.#died = undefined;
    } finally {
      this.#reviving = undefined;
    }
  }

  #follow(worker: Worker): Worker {
    worker.on("message", (message: FromGenerator) => this.#hear(message));
    worker.on("error", (error) => this.#die(String(error)));
    worker.on("exit", (code) => this.#die(`it ended with code ${code}`));
    return worker;
  }

  #tell(message: ToGenerator): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromGenerator): void {
    if (message.kind === "prepared") {
      this.#preparing.get(message.id)?.(message.outcome);
      this.#preparing.delete(message.id);
    } else if (message.kind === "event") this.#running.get(message.id)?.hear(message.event);
    else if (message.kind === "ended") this.#running.get(message.id)?.ended();
  }

  #die(why: string): void {
    this.#died ??= why.slice(0, 500);
    const { fault } = dead(this.#died);
    for (const resolve of this.#preparing.values()) resolve({ ok: false, fault });
    this.#preparing.clear();
    for (const { hear, ended } of [...this.#running.values()]) {
      hear({ kind: "fault", fault });
      ended();
    }
  }
}

async function start(order: GeneratorOrder, spawn: Spawn<GeneratorOrder>): Promise<readonly [Worker, EngineModel]> {
  const [worker, loaded] = await startThread<GeneratorOrder, Loaded>(spawn, order);
  if (loaded.kind === "loaded") return [worker, loaded.model];
  await worker.terminate();
  throw loaded.mend ? new StartError(loaded.reason) : new Error(loaded.reason);
}

function dead(why: string) {
  return fail("upstream_failed", { cause: `the model's thread is gone: ${why}` });
}
