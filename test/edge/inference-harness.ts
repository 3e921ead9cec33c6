import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type InferAnswer,
  type InferenceReport,
  type LoadReport,
  type PackageRef,
  type PredictAnswer,
  type PredictCall,
  packageManifest,
  type Result,
} from "@ledge/contract";
import { createTestHarness } from "wrangler";
import { blobsOf, refOf, type TestPackage } from "../support/model-package.ts";
import type { InferCallJson } from "./inference-caller.ts";
import type { TensorsJson } from "./inference-tensors.ts";

/** The real inference Worker, and Workers like it with other bounds or modules, behind a caller. */

const root = join(import.meta.dirname, "..", "..");
const inference = join(root, "workers", "inference");
export const intentDir = join(root, "models", "intent", "1");
export const intentManifest = packageManifest.parse(readJson(join(intentDir, "model.json")));
export const intent = refOf(intentManifest);

export function readJson(path: string) {
  return JSON.parse(readFileSync(path, "utf8"));
}

export interface VariantOptions {
  readonly main?: string;
  readonly vars?: Readonly<Record<string, number>>;
  readonly alias?: Readonly<Record<string, string>>;
}

/** @param variants more inference Workers, by the name they are asked by; the shipped one is `edge` */
export function startInference(variants: Readonly<Record<string, VariantOptions>> = {}) {
  const names = Object.keys(variants);
  const services = names.map((name) => ({ binding: name, service: `ledge-inference-${name}` }));
  const harness = createTestHarness({
    root,
    workers: [
      {
        config: {
          name: "caller",
          main: join(import.meta.dirname, "inference-caller.ts"),
          compatibility_date: "2026-11-01",
          services: [{ binding: "edge", service: "ledge-inference" }, ...services],
          r2_buckets: [{ binding: "store", bucket_name: "ledge-models" }],
          kv_namespaces: [{ binding: "snapshots", id: "ledge-snapshots" }],
        },
      },
      { configPath: join(inference, "wrangler.jsonc") },
      ...Object.entries(variants).map(([name, options]) => ({ config: variant(`ledge-inference-${name}`, options) })),
    ],
  });
  return { ...clientOf(harness), harness };
}

/** The inference Worker under another name, with another entry, bounds or modules. */
function variant(name: string, { main = join(inference, "src", "index.ts"), vars, alias = {} }: VariantOptions) {
  return {
    name,
    main,
    vars: { QUEUE_ROWS_MAX: 256, MEMORY_BYTES_MAX: 96 * 2 ** 20, ...vars },
    compatibility_date: "2026-11-01",
    compatibility_flags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
    alias,
    rules: [
      { type: "Data" as const, globs: ["**/*.onnx"], fallthrough: true },
      { type: "CompiledWasm" as const, globs: ["**/*.wasm"], fallthrough: true },
    ],
    r2_buckets: [{ binding: "MODEL_BYTES", bucket_name: "ledge-models" }],
    kv_namespaces: [{ binding: "SNAPSHOTS", id: "ledge-snapshots" }],
  };
}

type Harness = ReturnType<typeof createTestHarness>;

function clientOf(harness: Harness) {
  async function post<T>(method: string, calls: readonly unknown[], worker: string): Promise<readonly T[]> {
    const response = await harness.fetch(`/${worker}/${method}`, { method: "POST", body: JSON.stringify(calls) });
    if (response.status !== 200) throw new Error(`${method} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T[];
  }
  async function put(store: "store" | "snapshots", key: string, body: Uint8Array | string): Promise<void> {
    await harness.fetch(`/${store}/${key}`, { method: "PUT", body });
  }
  return {
    post,
    put,
    predict: (calls: readonly PredictCall[], worker = "edge", method = "predict") =>
      post<Result<PredictAnswer>>(method, calls, worker),
    infer: (calls: readonly InferCallJson[], worker = "edge") => post<Result<InferJson>>("infer", calls, worker),
    load: async (ref: PackageRef, worker = "edge") => first(await post<Result<LoadReport>>("load", [ref], worker)),
    unload: async (ref: PackageRef, worker = "edge") =>
      first(await post<Result<{ unloaded: boolean }>>("unload", [ref], worker)),
    report: async (worker = "edge") => (await (await harness.fetch(`/${worker}/report`)).json()) as InferenceReport,
    /** Stores a package as the registry does, and says how it is asked for. */
    async store(one: TestPackage): Promise<PackageRef> {
      for (const [key, bytes] of Object.entries(blobsOf(one))) await put("store", key, bytes);
      return refOf(one.manifest);
    },
    remove: (sha256: string) => harness.fetch(`/store/blobs/${sha256}`, { method: "DELETE" }),
  };
}

export type InferJson = Omit<InferAnswer, "outputs"> & { readonly outputs: TensorsJson };

function first<T>([only]: readonly T[]): T {
  if (only === undefined) throw new Error("No answer came.");
  return only;
}
