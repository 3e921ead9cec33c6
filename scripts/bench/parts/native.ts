import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ok, packageManifest, parse, type Tensor, type Tensors } from "@ledge/contract";
import { createServable } from "@ledge/pipeline";
import * as ort from "onnxruntime-node";
import { repoRoot } from "../../repo.ts";
import type { Row } from "../outcome.ts";
import { quantile } from "../statistics.ts";

const dir = join(repoRoot, "models", "intent", "1");
const warmRuns = 200;

/** The same feeds in native ONNX Runtime, on one thread as WebAssembly has: `session.run` and nothing else. */
export async function measureNative(text: string, seconds: number): Promise<Row> {
  const session = await ort.InferenceSession.create(join(dir, "model.onnx"), { intraOpNumThreads: 1 });
  const feeds = await feedsOf(text);
  for (let run = 0; run < warmRuns; run++) await session.run(feeds);
  const latencies: number[] = [];
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  for (let nowMs = startedMs; nowMs < startedMs + seconds * 1000; ) {
    await session.run(feeds);
    const endedMs = performance.now();
    latencies.push(endedMs - nowMs);
    nowMs = endedMs;
  }
  const cpu = process.cpuUsage(cpuBefore);
  const elapsedMs = performance.now() - startedMs;
  await session.release();
  latencies.sort((a, b) => a - b);
  return {
    name: "e  native onnxruntime-node, session.run only",
    requestsPerSecond: (latencies.length * 1000) / elapsedMs,
    latencyMsMean: latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length,
    latencyMsP50: quantile(latencies, 0.5),
    latencyMsP99: quantile(latencies, 0.99),
    cpuUs: (cpu.user + cpu.system) / latencies.length,
  };
}

/** What the pipeline would feed the graph for a text. */
async function feedsOf(text: string): Promise<Record<string, ort.Tensor>> {
  const manifest = parse(packageManifest, JSON.parse(readFileSync(join(dir, "model.json"), "utf8")));
  if (!manifest.ok) throw new Error(`${dir}/model.json is broken: ${JSON.stringify(manifest.fault)}`);
  let seen: Tensors = {};
  const servable = createServable({
    manifest: manifest.value,
    files: new Map([["labels.json", readFileSync(join(dir, "labels.json"))]]),
    run: async (feeds) => {
      seen = feeds;
      return ok({});
    },
  });
  if (!servable.ok) throw new Error(`${dir} does not load: ${JSON.stringify(servable.fault)}`);
  const row = servable.value.prepare(text);
  if (!row.ok) throw new Error(`The text cannot be prepared: ${JSON.stringify(row.fault)}`);
  await servable.value.run([row.value]);
  return Object.fromEntries(Object.entries(seen).map(([name, tensor]) => [name, toOrt(tensor)]));
}

function toOrt({ datatype, data, shape }: Tensor): ort.Tensor {
  if (datatype === "INT32") return new ort.Tensor("int32", data, shape);
  if (datatype === "INT64") return new ort.Tensor("int64", data, shape);
  return new ort.Tensor("float32", data, shape);
}
