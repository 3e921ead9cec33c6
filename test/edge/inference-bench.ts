/**
 * What the inference Worker costs on this machine, against native ONNX Runtime in the same run:
 *
 *     node test/edge/inference-bench.ts
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type InferenceReport, modelManifest, type PredictCall, type Result } from "@ledge/contract";
import { createClassifier } from "@ledge/pipeline";
import * as ort from "onnxruntime-node";
import { createTestHarness } from "wrangler";

const root = join(import.meta.dirname, "..", "..");
const model = join(root, "models", "intent", "1");
const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const topK = 5;
const texts: string[] = Array.from(
  { length: 200 },
  (_, at) => `please book me a table for ${at} people at the bistro tonight`,
);
const calls: PredictCall[] = texts.map((text) => ({
  model: "intent",
  version: "1",
  texts: [text],
  topK,
  logits: false,
}));
const print = (what: string, value: string) => console.log(`${what.padEnd(52)} ${value}`);

async function edge(): Promise<void> {
  const startMs = performance.now();
  const harness = createTestHarness({
    root,
    workers: [
      {
        config: {
          name: "caller",
          main: join(import.meta.dirname, "inference-caller.ts"),
          compatibility_date: "2026-11-01",
          services: [{ binding: "edge", service: "ledge-inference" }],
        },
      },
      { configPath: join(root, "workers", "inference", "wrangler.jsonc") },
    ],
  });
  await harness.listen();
  print("harness up, ms", (performance.now() - startMs).toFixed(0));
  try {
    const warmMs = performance.now();
    const warmed = (await (await harness.fetch("/edge/warm")).json()) as Result<InferenceReport>;
    if (!warmed.ok) throw new Error(warmed.fault.cause);
    print(
      "warm over HTTP, ms (session and first run)",
      `${(performance.now() - warmMs).toFixed(0)} (${warmed.value.loadMs})`,
    );
    print("wasm heap after load, MiB", (warmed.value.wasmHeapBytes / 2 ** 20).toFixed(1));
    for (const loops of [1, 32]) await loadAt(harness, loops);
    const report = (await (await harness.fetch("/edge/report")).json()) as InferenceReport;
    print("wasm heap after the load, MiB", (report.wasmHeapBytes / 2 ** 20).toFixed(1));
  } finally {
    await harness.close();
  }
}

async function loadAt(harness: ReturnType<typeof createTestHarness>, loops: number): Promise<void> {
  for (const [what, sent] of [
    ["edge, RPC alone", []],
    ["edge, predict", calls],
  ] as const) {
    const body = JSON.stringify(sent);
    for (const total of [500, 5000]) {
      const response = await harness.fetch(`/edge/load?loops=${loops}&total=${total}`, { method: "POST", body });
      const { ms } = (await response.json()) as { ms: number };
      if (total === 5000) print(`${what}, ${loops} at once: calls/s, mean latency`, rate(total, ms, loops));
    }
  }
}

async function native(): Promise<void> {
  const startMs = performance.now();
  const session = await ort.InferenceSession.create(join(model, "model.onnx"), { intraOpNumThreads: 1 });
  print("native session, ms", (performance.now() - startMs).toFixed(0));
  const classifier = createClassifier({
    manifest: modelManifest.parse(readJson(join(model, "model.json"))),
    labels: readJson(join(model, "labels.json")),
    run: async ({ ids }) => {
      if (ids?.datatype !== "INT32") throw new Error("The model takes ids as INT32.");
      const { logits } = await session.run({ ids: new ort.Tensor("int32", ids.data, ids.shape) });
      const data = logits?.data as Float32Array;
      return { ok: true, value: { logits: { datatype: "FP32", shape: logits?.dims ?? [], data } } };
    },
  });
  if (!classifier.ok) throw new Error(classifier.fault.cause);
  const { prepare, shape, predict } = classifier.value;
  for (const loops of [1, 32]) {
    for (const total of [500, 5000]) {
      let next = 0;
      const beginMs = performance.now();
      const loop = async () => {
        while (next++ < total) await predict([texts[next % texts.length] ?? ""], { topK, logits: false });
      };
      await Promise.all(Array.from({ length: loops }, loop));
      const ms = performance.now() - beginMs;
      if (total === 5000) print(`native in this process, ${loops} at once`, rate(total, ms, loops));
    }
  }
  const logits = new Float32Array(classifier.value.classes).map((_, at) => Math.sin(at));
  print(
    "pipeline alone: prepare, µs a text",
    perCall(() => prepare(texts[0] ?? "")),
  );
  print(
    "pipeline alone: shape, µs a row",
    perCall(() => shape(logits, { topK, logits: false })),
  );
}

function rate(made: number, ms: number, loops: number): string {
  return `${((made / ms) * 1000).toFixed(0)}/s, ${((ms / made) * loops).toFixed(3)} ms`;
}

function perCall(act: () => unknown): string {
  for (let warm = 0; warm < 2000; warm++) act();
  const startMs = performance.now();
  for (let times = 0; times < 20_000; times++) act();
  return ((performance.now() - startMs) / 20).toFixed(2);
}

print(
  "runtime, model: bytes",
  `${statSync(join(root, "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm")).size}, ${statSync(join(model, "model.onnx")).size}`,
);
await edge();
await native();
