import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Tensors } from "@ledge/contract";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { rolldown } from "rolldown";
import { buildRuntime } from "../../../../scripts/build-runtime.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import type { EngineFigures, MeasureJob, RunFigures } from "./job.ts";
import { serveJob } from "./serve-job.ts";

/**
 * A process of its own that runs a graph in the WASM build that ships, in real workerd: time and memory are those of a
 * Worker, and whatever a model does to them ends with the process.
 */
serveJob(async (job: MeasureJob, step): Promise<EngineFigures> => {
  const workerd = await startWorker();
  try {
    for (const { location, path } of job.externals) {
      await post(workerd, `/external?location=${encodeURIComponent(location)}`, await readFile(path));
    }
    const loaded = await post(
      workerd,
      `/load?path=${encodeURIComponent(basename(job.graph))}`,
      await readFile(job.graph),
    );
    const { loadMs } = (await loaded.json()) as { loadMs: number };
    step();
    const runs: RunFigures[] = [];
    let heapBytes = 0;
    const run = async (feeds: Tensors, countMs: number) => {
      const answer = await post(workerd, "/run", encodeFrame(feeds, countMs));
      const { tensors, extra } = decodeFrame(await answer.arrayBuffer());
      const figures = extra as { medianMs: number; heapBytes: number };
      heapBytes = figures.heapBytes;
      return { medianMs: figures.medianMs, outputs: tensors };
    };
    for (const { rows, feeds } of job.runs) {
      runs.push({ rows, ...(await run(feeds, job.countMs)) });
      step();
    }
    if (job.largest !== undefined) await run(job.largest, 0);
    return { loadMs, runs, heapBytes };
  } finally {
    await workerd.dispose();
  }
});

async function startWorker(): Promise<Miniflare> {
  const { folder } = buildRuntime();
  return new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      logRequests: false,
      handleStructuredLogs: () => undefined,
      name: "measure",
      compatibilityDate: "2026-11-01",
      compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
      modules: [
        { type: "ESModule", path: "index.js", contents: await bundleWorker() },
        { type: "CompiledWasm", path: "ort.wasm", contents: await readFile(join(folder, "ort.wasm")) },
      ],
    }),
  );
}

/** The Worker and all it imports as one module; WebAssembly stays a module beside it. */
async function bundleWorker(): Promise<string> {
  const bundle = await rolldown({
    input: join(import.meta.dirname, "..", "..", "worker", "index.ts"),
    logLevel: "silent",
    plugins: [
      {
        name: "wasm-beside",
        resolveId: (id) => (id.endsWith(".wasm") ? { id: "./ort.wasm", external: "absolute" } : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: "esm" });
  return output[0].code;
}

async function post(workerd: Miniflare, path: string, body: Uint8Array) {
  const answer = await workerd.dispatchFetch(`http://measure${path}`, { method: "POST", body });
  if (answer.ok) return answer;
  const { message } = (await answer.json()) as { message: string };
  throw new Error(message);
}
