import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The edge in a process of its own, to end it as a crash does. */
export interface EdgeProcess {
  readonly url: string;
  /** SIGKILL for it and its workerd. */
  kill(): Promise<void>;
}

export interface EdgeProcessOptions {
  readonly originUrl: string;
  readonly dataDir: string;
  /** Variables of the gateway and of the operator Worker. */
  readonly gateway?: Readonly<Record<string, string>>;
  /** Of the jobs Worker. */
  readonly jobs?: Readonly<Record<string, string>>;
}

const entry = fileURLToPath(new URL("run-edge-process.ts", import.meta.url));

export async function startEdgeProcess(options: EdgeProcessOptions): Promise<EdgeProcess> {
  // A group of its own: workerd is ended with it.
  const child = spawn(process.execPath, [entry, JSON.stringify(options)], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await urlOf(child);
  return {
    url,
    async kill() {
      const ended = once(child, "close");
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
    },
  };
}

async function urlOf(child: ChildProcess): Promise<string> {
  let said = "";
  while (!said.includes("\n")) {
    const [data] = await Promise.race([
      once(child.stdout ?? child, "data"),
      once(child, "exit").then(() => {
        throw new Error(`the edge ended before it was ready: ${said}`);
      }),
    ]);
    said += String(data);
  }
  return said.trim();
}
