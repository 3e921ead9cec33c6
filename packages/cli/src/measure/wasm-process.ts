import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import type { Tensors } from "@ledge/contract";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { buildRuntime } from "../../../../scripts/build-runtime.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import type { EngineFigures, MeasureJob, RunFigures } from "./job.ts";
import { serveJob } from "./serve-job.ts";

/**
 * A process of its own that runs a graph in the WASM build that ships, in real workerd: time and memory are those of a
 * Worker, and whatever a model does to them ends with the process.
 */
serveJob(async (job: MeasureJob, step): Promise<EngineFigures> => {
  const workerd = startWorker();
  try {
    for (const { location, path } of job.externals) {
      await post(workerd, `/external?location=${encodeURIComponent(location)}`, await readFile(path));
    }
    const loaded = await post(workerd, "/load", await readFile(job.graph));
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

const root = join(import.meta.dirname, "..", "..");

function startWorker(): Miniflare {
  const { folder } = buildRuntime();
  const source = (path: string) => ({
    type: "ESModule" as const,
    path: join(root, path),
    contents: stripTypeScriptTypes(readFileSync(join(root, path), "utf8")),
  });
  return new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      logRequests: false,
      handleStructuredLogs: () => undefined,
      name: "measure",
      compatibilityDate: "2026-11-01",
      compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
      modulesRoot: root,
      modules: [
        source("worker/index.ts"),
        ...["frame", "ort-tensor", "time-runs"].map((name) => source(`src/measure/${name}.ts`)),
        {
          type: "ESModule",
          path: join(root, "worker", "onnxruntime-web", "wasm"),
          contents: readFileSync(join(folder, "ort.mjs"), "utf8"),
        },
        {
          type: "CompiledWasm",
          path: join(root, "runtime", "ort.wasm"),
          contents: readFileSync(join(folder, "ort.wasm")),
        },
      ],
    }),
  );
}

async function post(workerd: Miniflare, path: string, body: Uint8Array) {
  const answer = await workerd.dispatchFetch(`http://measure${path}`, { method: "POST", body });
  if (answer.ok) return answer;
  const { message } = (await answer.json()) as { message: string };
  throw new Error(message);
}
