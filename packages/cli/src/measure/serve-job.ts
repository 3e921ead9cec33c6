import { Worker } from "node:worker_threads";
import type { ChildMessage, EngineFigures, MeasureJob } from "./job.ts";

/**
 * The frame of a measuring process: one job in, one answer out, then the end. Without its parent it ends at once, so that
 * nothing is left running.
 */
export function serveJob(work: (job: MeasureJob, step: () => void) => Promise<EngineFigures>): void {
  const say = (message: ChildMessage, then?: () => void) => void process.send?.(message, undefined, {}, then);
  endWithParent();
  process.once("message", async (job: MeasureJob) => {
    let done = 0;
    const of = job.runs.length + 1;
    try {
      const figures = await work(job, () => say({ kind: "step", done: ++done, of }));
      say({ kind: "done", figures }, () => process.exit(0));
    } catch (error) {
      say({ kind: "failed", message: error instanceof Error ? error.message : String(error) }, () => process.exit(0));
    }
  });
}

/**
 * Native ONNX Runtime runs on this thread, so a message that the parent has gone would wait for a run that may never end.
 * Another thread looks, and ends the whole process group: what this process started goes, too. The parent says who it is, since it
 * may have gone before this process can ask.
 */
function endWithParent(): void {
  const look = `const parent = ${Number(process.argv[2])};
    setInterval(() => process.ppid === parent || process.kill(process.platform === "win32" ? process.pid : -process.pid, "SIGKILL"), 500);`;
  new Worker(look, { eval: true }).unref();
}
