import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Findings, Job, Reply } from "./job.ts";

/** A load generator in its own process. */
export interface Generator {
  /** Runs one job after the other. Rejects with what the server answered when an answer is not the expected one. */
  drive(job: Job): Promise<Findings>;
  close(): void;
}

export function startGenerator(): Generator {
  const child = fork(fileURLToPath(new URL("generator.ts", import.meta.url)), { stdio: "inherit" });
  let nextId = 1;
  return {
    drive: (job) => ask(child, nextId++, job),
    close: () => child.kill(),
  };
}

function ask(child: ChildProcess, id: number, job: Job): Promise<Findings> {
  return new Promise((resolve, reject) => {
    const ended = () => settle(() => reject(new Error("the load generator ended")));
    const replied = (reply: Reply) => {
      if (reply.id !== id) return;
      settle(() => ("error" in reply ? reject(new Error(reply.error)) : resolve(reply.findings)));
    };
    const settle = (outcome: () => void) => {
      child.off("message", replied);
      child.off("exit", ended);
      outcome();
    };
    child.on("message", replied);
    child.on("exit", ended);
    child.send({ id, job });
  });
}
