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
  const session = await open(job, "all");
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
  await session.release();
  return { loadMs, runs: await withPlainOutputs(job, runs) };
});

function open({ graph }: MeasureJob, graphOptimizationLevel: "all" | "disabled"): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(graph, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel,
    // Without VNNI, int8 products overflow by default on x86; the WASM build and newer processors compute them exactly.
    extra: { session: { x64quantprecision: "1" } },
  });
}

async function withPlainOutputs(job: MeasureJob, runs: readonly RunFigures[]): Promise<readonly RunFigures[]> {
  const session = await open(job, "disabled");
  const plain: RunFigures[] = [];
  for (const [at, run] of runs.entries()) {
    const { feeds } = job.runs[at] ?? { feeds: {} };
    plain.push({ ...run, plainOutputs: fromOrt(await session.run(toOrt(feeds))) });
  }
  return plain;
}
