import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildWorker, bundleDir, type WorkerName, workers } from "../edge/build.ts";
import type { Gate } from "./gate.ts";

/** What a Worker may weigh, gzipped, as Cloudflare counts it: the gateway must start fast, and so must the Durable Objects. */
const gzipBytesMax = {
  gateway: 80 * 1024,
  operator: 128 * 1024,
  identity: 40 * 1024,
  meter: 16 * 1024,
  semantic: 32 * 1024,
  dispatch: 48 * 1024,
  jobs: 32 * 1024,
};
/** Cloudflare's own limit for a Worker on the paid plan, uncompressed. */
const inferenceBytesMax = 64 * 1024 * 1024;

export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Builds every Worker as it would be deployed, and weighs it. `dist/` stays: the tests and `npm start` run from it. */
export const workerBundles: Gate = {
  name: "worker bundles",
  async run(warn) {
    const findings: string[] = [];
    // One after the other: two wranglers at once take as long on two cores, and twice the memory.
    for (const worker of workers) findings.push(...(await slipsOf(worker, warn)));
    return findings;
  },
};

async function slipsOf(worker: WorkerName, warn: (line: string) => void): Promise<readonly string[]> {
  try {
    await buildWorker(worker);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  const files = await bundleOf(worker);
  warnNearCap(worker, files, warn);
  return worker === "inference" ? inferenceSlips(files) : lightSlips(worker, files);
}

/** A Worker that runs no model. */
type LightWorker = Exclude<WorkerName, "inference">;

export function lightSlips(worker: LightWorker, files: readonly BundleFile[]): readonly string[] {
  const weight = gzipBytes(files);
  const allowed = gzipBytesMax[worker];
  const runtime = files.filter(({ bytes }) => Buffer.from(bytes).includes("onnxruntime"));
  return [
    ...runtime.map(({ path }) => `${worker}: ${path} holds onnxruntime: a model must never load here`),
    ...(weight > allowed ? [`${worker}: ${weight} bytes gzipped, ${allowed} are allowed`] : []),
    ...(files.length === 0 ? [`${worker}: the bundle is empty`] : []),
  ];
}

export function inferenceSlips(files: readonly BundleFile[]): readonly string[] {
  const weight = totalBytes(files);
  if (files.length === 0) return ["inference: the bundle is empty"];
  return weight > inferenceBytesMax ? [`inference: ${weight} bytes, ${inferenceBytesMax} are allowed`] : [];
}

function warnNearCap(worker: WorkerName, files: readonly BundleFile[], warn: (line: string) => void): void {
  const share =
    worker === "inference" ? totalBytes(files) / inferenceBytesMax : gzipBytes(files) / gzipBytesMax[worker];
  if (share > 0.9 && share <= 1) warn(`${worker}: the bundle takes ${Math.round(share * 100)} % of what it may weigh`);
}

function gzipBytes(files: readonly BundleFile[]): number {
  return files.reduce((sum, { bytes }) => sum + gzipSync(bytes).byteLength, 0);
}

function totalBytes(files: readonly BundleFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

/** What is uploaded: wrangler lays a source map and a README beside it. */
async function bundleOf(worker: WorkerName): Promise<readonly BundleFile[]> {
  const dir = bundleDir(worker);
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const uploaded = entries.filter((entry) => entry.isFile() && !/\.(?:map|md)$/.test(entry.name));
  return Promise.all(
    uploaded.map(async ({ name, parentPath }) => ({ path: name, bytes: await readFile(join(parentPath, name)) })),
  );
}
