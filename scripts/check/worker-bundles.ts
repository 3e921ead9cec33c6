import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildWorker, bundleDir, type WorkerName, workers } from "../edge/build.ts";
import type { Gate } from "./gate.ts";

/** The gateway must start fast: what it may weigh, gzipped, as Cloudflare counts it. */
const gatewayGzipBytesMax = 80 * 1024;
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
  return worker === "gateway" ? gatewaySlips(files) : inferenceSlips(files);
}

export function gatewaySlips(files: readonly BundleFile[]): readonly string[] {
  const weight = gzipBytes(files);
  const runtime = files.filter(({ bytes }) => Buffer.from(bytes).includes("onnxruntime"));
  return [
    ...runtime.map(({ path }) => `gateway: ${path} holds onnxruntime: a model must never load here`),
    ...(weight > gatewayGzipBytesMax ? [`gateway: ${weight} bytes gzipped, ${gatewayGzipBytesMax} are allowed`] : []),
    ...(files.length === 0 ? ["gateway: the bundle is empty"] : []),
  ];
}

export function inferenceSlips(files: readonly BundleFile[]): readonly string[] {
  const weight = totalBytes(files);
  if (files.length === 0) return ["inference: the bundle is empty"];
  return weight > inferenceBytesMax ? [`inference: ${weight} bytes, ${inferenceBytesMax} are allowed`] : [];
}

function warnNearCap(worker: WorkerName, files: readonly BundleFile[], warn: (line: string) => void): void {
  const share = worker === "gateway" ? gzipBytes(files) / gatewayGzipBytesMax : totalBytes(files) / inferenceBytesMax;
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
