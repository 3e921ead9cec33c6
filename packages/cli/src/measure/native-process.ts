import * as ort from "onnxruntime-node";
import type { EngineFigures, MeasureJob, RunFigures } from "./job.ts";
import { fromOrt, toOrt } from "./ort-tensor.ts";
import { serveJob } from "./serve-job.ts";
import { timeRuns } from "./time-runs.ts";

// onnxruntime-node reads a Float16Array as empty; without the class, ONNX Runtime takes halves as their 16 bits.
Reflect.deleteProperty(globalThis, "Float16Array");

/** A process of its own that runs a graph in native ONNX Runtime, on one thread, as a Worker has one. */
serveJob(async (job: MeasureJob, step): Promise<EngineFigures> => {
  const startedMs = performance.now();
  const session = await ort.InferenceSession.create(job.graph, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const loadMs = performance.now() - startedMs;
  step();
  const runs: RunFigures[] = [];
  for (const { rows, feeds } of job.runs) {
    const given = toOrt(feeds);
    const outputs = fromOrt(await session.run(given));
    const medianMs = await timeRuns(
      () => session.run(given),
      () => performance.now(),
      job.countMs,
    );
    runs.push({ rows, medianMs, outputs });
    step();
  }
  return { loadMs, runs };
});
