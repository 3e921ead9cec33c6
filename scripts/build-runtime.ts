import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unshareGlue, unshareMemory } from "./unshare-runtime.ts";

/**
 * Makes the inference Worker's copy of ONNX Runtime: the published build with its need for shared memory removed.
 *
 *     node scripts/build-runtime.ts
 *
 * Writes `ort.mjs`, `ort.wasm` and a stamp to `workers/inference/runtime/` (build output, not in git). It runs before
 * every `wrangler dev` and `wrangler deploy` of that Worker, so it does nothing when its inputs have not changed.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const published = join(root, "node_modules", "onnxruntime-web", "dist");
const sources = {
  glue: join(published, "ort.wasm.bundle.min.mjs"),
  wasm: join(published, "ort-wasm-simd-threaded.wasm"),
} as const;

interface Stamp {
  /** SHA-256 over everything the outputs depend on: both sources and the edits. */
  readonly inputs: string;
  readonly glueBytes: number;
  readonly wasmBytes: number;
}

export interface RuntimeBuild {
  readonly folder: string;
  /** False when the outputs were up to date already. */
  readonly written: boolean;
}

/**
 * Builds the runtime into `folder` unless it is there already. About 50 ms when up to date: hashing 14 MB.
 *
 * @throws Error with what to do, when onnxruntime-web is not installed or no longer has the patterns the edits look for.
 */
export function buildRuntime(folder = join(root, "workers", "inference", "runtime")): RuntimeBuild {
  const glue = readSource(sources.glue);
  const wasm = readSource(sources.wasm);
  const edits = readFileSync(join(root, "scripts", "unshare-runtime.ts"));
  const inputs = createHash("sha256").update(glue).update(wasm).update(edits).digest("hex");
  if (isUpToDate(folder, inputs)) return { folder, written: false };

  const newGlue = Buffer.from(unshareGlue(glue.toString("utf8")), "utf8");
  const newWasm = unshareMemory(wasm);
  mkdirSync(folder, { recursive: true });
  write(join(folder, "ort.mjs"), newGlue);
  write(join(folder, "ort.wasm"), newWasm);
  const stamp: Stamp = { inputs, glueBytes: newGlue.byteLength, wasmBytes: newWasm.byteLength };
  write(join(folder, "stamp.json"), Buffer.from(`${JSON.stringify(stamp, null, 2)}\n`));
  return { folder, written: true };
}

function readSource(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`The ONNX Runtime build is not at ${path}. Run 'npm ci' first.`, { cause: error });
  }
}

function isUpToDate(folder: string, inputs: string): boolean {
  try {
    const stamp = JSON.parse(readFileSync(join(folder, "stamp.json"), "utf8")) as Stamp;
    return (
      stamp.inputs === inputs &&
      statSync(join(folder, "ort.mjs")).size === stamp.glueBytes &&
      statSync(join(folder, "ort.wasm")).size === stamp.wasmBytes
    );
  } catch {
    return false; // No stamp, or half a build: build again.
  }
}

/** Writes beside the target and renames, so that two builds at once never leave a torn file. */
function write(path: string, bytes: Uint8Array): void {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, bytes);
  renameSync(partial, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { folder, written } = buildRuntime();
    if (written) console.log(`Built the ONNX runtime in ${folder}.`);
  } catch (error) {
    console.error(`build-runtime: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
