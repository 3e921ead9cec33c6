import { Worker } from "node:worker_threads";
import { type ChatRequest, fail, ok, type Result } from "@ledge/contract";
import { ChatChannel } from "../chat-channel.ts";
import type { ChatEvent, Engine, EngineModel, PreparedChat } from "../engine.ts";
import { type ModelPackage, StartError } from "../model-package.ts";
import type { FromGenerator, GeneratorOrder, Loaded, ToGenerator } from "./generator-messages.ts";

const program = new URL("generator-worker.ts", import.meta.url);

type Prepared = Result<{ readonly promptTokens?: number }>;

/** A language model in a thread of its own, as an engine. */
export class GeneratorThread implements Engine {
  readonly model: EngineModel;
  readonly #worker: Worker;
  readonly #preparing = new Map<number, (outcome: Prepared) => void>();
  readonly #running = new Map<number, ChatChannel<ChatEvent>>();
  #ids = 0;
  /** Why the thread has ended by itself. */
  #died: string | undefined;

  private constructor(worker: Worker, model: EngineModel) {
    this.model = model;
    this.#worker = worker;
    worker.on("message", (message: FromGenerator) => this.#hear(message));
    worker.on("error", (error) => this.#die(String(error)));
    worker.on("exit", (code) => this.#die(`it ended with code ${code}`));
  }

  /** Starts a thread and loads the model in it. Throws {@link StartError}, or an Error with the library's words. */
  static async load(pack: ModelPackage, threads: number): Promise<GeneratorThread> {
    const order: GeneratorOrder = { pack, threads };
    const worker = new Worker(program, { workerData: order, execArgv: [] });
    const loaded = await new Promise<Loaded>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`The model's thread ended with code ${code}.`)));
    });
    worker.removeAllListeners("error").removeAllListeners("exit");
    if (loaded.kind === "loaded") return new GeneratorThread(worker, loaded.model);
    await worker.terminate();
    throw loaded.mend ? new StartError(loaded.reason) : new Error(loaded.reason);
  }

  async chat(request: ChatRequest): Promise<Result<PreparedChat>> {
    if (this.#died !== undefined) return dead(this.#died);
    const id = this.#ids++;
    const outcome = await new Promise<Prepared>((resolve) => {
      this.#preparing.set(id, resolve);
      this.#tell({ kind: "prepare", id, request });
    });
    if (!outcome.ok) return outcome;
    return ok({ ...outcome.value, run: (signal) => this.#run(request, signal) });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async *#run(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    if (signal.aborted) return;
    if (this.#died !== undefined) return yield { kind: "fault", fault: dead(this.#died).fault };
    const id = this.#ids++;
    const channel = new ChatChannel<ChatEvent>();
    const stop = () => this.#tell({ kind: "stop", id });
    this.#running.set(id, channel);
    signal.addEventListener("abort", stop, { once: true });
    this.#tell({ kind: "run", id, request });
    try {
      for await (const event of channel) {
        if (signal.aborted) return;
        yield event;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      // Nobody minds who is told to stop after the end.
      stop();
      // The engine counts as busy until its last step has returned.
      for await (const _event of channel);
      this.#running.delete(id);
    }
  }

  #tell(message: ToGenerator): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromGenerator): void {
    if (message.kind === "prepared") {
      this.#preparing.get(message.id)?.(message.outcome);
      this.#preparing.delete(message.id);
    } else if (message.kind === "event") this.#running.get(message.id)?.push(message.event);
    else if (message.kind === "ended") this.#running.get(message.id)?.close();
  }

  #die(why: string): void {
    this.#died ??= why.slice(0, 500);
    const { fault } = dead(this.#died);
    for (const resolve of this.#preparing.values()) resolve({ ok: false, fault });
    this.#preparing.clear();
    for (const channel of this.#running.values()) {
      channel.push({ kind: "fault", fault });
      channel.close();
    }
  }
}

function dead(why: string) {
  return fail("upstream_failed", { cause: `the model's thread is gone: ${why}` });
}
