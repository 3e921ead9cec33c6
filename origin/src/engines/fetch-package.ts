import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { copyFile, link, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  fail,
  modelManifest,
  ok,
  type PackageFile,
  type PackageManifest,
  type PackageRef,
  packageFiles,
  parse,
  type Result,
} from "@ledge/contract";
import { type ModelPackage, openPackage, StartError } from "./model-package.ts";

/** Where packages come from that do not lie beside the origin: the gateway's registry. */
export interface PackageSource {
  /** Of the gateway, without a trailing slash. */
  readonly url: string;
  /** The secret between edge and origin: it opens `GET /admin/v1/packages/…` and `/admin/v1/blobs/…`. */
  readonly secret: string;
  /** Where fetched files are kept, each under its SHA-256. */
  readonly dir: string;
}

/** A file of a gigabyte over a slow line. */
const fileTimeoutMs = 600_000;
const documentBytesMax = 4_194_304;

/**
 * Fetches a package by its digest: the document, then every file that is not kept yet, all held to their SHA-256. A file is
 * written aside and moved when it is whole, so a crash leaves nothing half. Faults: `model_not_found` when the registry has no such
 * package, `model_not_ready` with the reason as its cause.
 */
export async function fetchPackage(ref: PackageRef, source: PackageSource): Promise<Result<ModelPackage>> {
  try {
    const manifest = await fetchManifest(ref, source);
    if (!manifest.ok) return manifest;
    const dir = join(source.dir, "packages", ref.digest);
    for (const file of packageFiles(manifest.value)) {
      await place(await keep(file, source), join(dir, file.path));
    }
    return ok(await openPackage(dir, manifest.value));
  } catch (error) {
    const why = error instanceof StartError ? error.message : String(error).slice(0, 500);
    return fail("model_not_ready", { retryAfterMs: 1_000, cause: `${ref.model}@${ref.version}: ${why}` });
  }
}

async function fetchManifest(ref: PackageRef, source: PackageSource): Promise<Result<PackageManifest>> {
  const response = await get(`/admin/v1/packages/${ref.digest}`, source);
  if (response.status === 404) return fail("model_not_found");
  const text = await response.text();
  if (response.status !== 200 || text.length > documentBytesMax) throw new Error(`status ${response.status} for it`);
  const digest = createHash("sha256").update(text).digest("hex");
  if (digest !== ref.digest) throw new Error(`the registry gave a package of SHA-256 ${digest}`);
  const manifest = parse(modelManifest, { description: "", ...JSON.parse(text), version: ref.version });
  if (!manifest.ok) throw new Error(JSON.stringify(manifest.fault.issues));
  const { file } = manifest.value;
  if (file === undefined) return fail("model_not_found", { cause: "An engine is to serve it, and ENGINES has none." });
  return ok({ ...manifest.value, file });
}

/** The path under which a file of this content is kept; fetches it when it is not. */
async function keep(file: PackageFile, source: PackageSource): Promise<string> {
  const kept = join(source.dir, "blobs", file.sha256);
  if ((await sizeOf(kept)) === file.bytes) return kept;
  await mkdir(dirname(kept), { recursive: true });
  const aside = `${kept}.${process.pid}.part`;
  try {
    const response = await get(`/admin/v1/blobs/${file.sha256}`, source);
    if (response.status !== 200 || response.body === null)
      throw new Error(`status ${response.status} for ${file.path}`);
    const check = new Check(file);
    await pipeline(Readable.fromWeb(response.body), check.transform, createWriteStream(aside));
    check.finish();
    await rename(aside, kept);
  } finally {
    await rm(aside, { force: true });
  }
  return kept;
}

/** Counts and hashes bytes as they pass, and stops at the first too many. */
class Check {
  readonly transform: Transform;
  readonly #file: PackageFile;
  readonly #hash = createHash("sha256");
  #bytes = 0;

  constructor(file: PackageFile) {
    this.#file = file;
    this.transform = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#bytes += chunk.length;
        this.#hash.update(chunk);
        if (this.#bytes > file.bytes) done(new Error(`${file.path} is larger than its manifest says`));
        else done(null, chunk);
      },
    });
  }

  finish(): void {
    const { path, bytes, sha256 } = this.#file;
    if (this.#bytes === bytes && this.#hash.digest("hex") === sha256) return;
    throw new Error(`${path} came with other bytes than its manifest says`);
  }
}

function get(path: string, { url, secret }: PackageSource): Promise<Response> {
  const headers = { Authorization: `Bearer ${secret}` };
  return fetch(url + path, { headers, redirect: "error", signal: AbortSignal.timeout(fileTimeoutMs) });
}

/** One copy on disk serves every package that has the file, where the file system can link. */
async function place(from: string, to: string): Promise<void> {
  if ((await sizeOf(to)) !== undefined) return;
  await mkdir(dirname(to), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to));
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
