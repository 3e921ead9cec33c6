import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { Refusal } from "../refusal.ts";
import type { ChildMessage, EngineFigures, MeasureJob } from "./job.ts";
import { reasonOf } from "./reason-of.ts";
import { residentBytes } from "./resident-bytes.ts";

export type EngineName = "native" | "wasm";

export interface ProcessLimits {
  /** Wall clock for all of it, milliseconds. */
  readonly timeoutMs: number;
  /** Resident memory of the process and what it started, bytes. */
  readonly memoryBytesMax: number;
}

const titles = { native: "native ONNX Runtime", wasm: "the WASM build in workerd" } as const;
const watchEveryMs = 100;
const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Measures in a process of its own, which is ended with all it started when it runs over a limit, crashes, or when this
 * process ends.
 *
 * @throws Refusal with what the engine said of the model, or which limit it ran over.
 */
export function runProcess(
  engine: EngineName,
  job: MeasureJob,
  limits: ProcessLimits,
  onStep: (done: number, of: number) => void = () => undefined,
): Promise<EngineFigures> {
  const child = fork(join(import.meta.dirname, `${engine}-process.ts`), [String(process.pid)], {
    serialization: "advanced",
    // Its own process group: what it starts can be ended with it.
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: ["--max-old-space-size=4096"],
  });
  const end = () => endGroup(child);
  const stop = () => {
    end();
    process.exit(130);
  };
  process.once("exit", end);
  for (const signal of stopSignals) process.once(signal, stop);
  return new Promise<EngineFigures>((resolve, reject) => {
    const refuse = (why: string) => reject(new Refusal(`The model does not run in ${titles[engine]}: ${why}`));
    const timer = setTimeout(() => refuse(`it took longer than ${seconds(limits.timeoutMs)}.`), limits.timeoutMs);
    const watch = setInterval(() => {
      if (residentBytes(child.pid) <= limits.memoryBytesMax) return;
      refuse(`it took more than ${Math.round(limits.memoryBytesMax / 2 ** 20)} MiB of memory.`);
    }, watchEveryMs);
    const settle = () => {
      clearTimeout(timer);
      clearInterval(watch);
    };
    child.on("message", (message: ChildMessage) => {
      if (message.kind === "step") onStep(message.done, message.of);
      else if (message.kind === "done") resolve(message.figures);
      else refuse(reasonOf(message.message));
    });
    child.on("error", (error) => refuse(error.message));
    child.on("exit", (code, signal) => {
      settle();
      refuse(`its process ended with ${signal ?? `code ${code}`}.`);
    });
    child.send(job, (error) => error && refuse(error.message));
  }).finally(() => {
    process.off("exit", end);
    for (const signal of stopSignals) process.off(signal, stop);
    end();
  });
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // All of it has ended already.
  }
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
