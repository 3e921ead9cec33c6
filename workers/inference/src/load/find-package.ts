import {
  fail,
  ok,
  type PackageFile,
  type PackageManifest,
  type PackageRef,
  packageDocument,
  packageManifest,
  parse,
  type Result,
} from "@ledge/contract";
import { sha256Hex } from "./sha256.ts";

/** A model package whose manifest is read and whose files can be. */
export interface FoundPackage {
  readonly manifest: PackageManifest;
  /** Files that are here already. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The bytes of another file, checked against the manifest. Fault: `model_not_ready`, whose cause names both digests. */
  read(file: PackageFile): Promise<Result<Uint8Array<ArrayBuffer>>>;
  /** Gives the memory of read bytes back at once; nobody may look at them any more. */
  release(bytes: Uint8Array): void;
}

/** Where packages lie. Faults: `model_not_ready` when it holds half of one; undefined when it holds none of it. */
export type PackageSource = (ref: PackageRef) => Promise<Result<FoundPackage> | undefined>;

/** A model package that travels in this Worker's bundle. */
export interface BundledModel {
  /** `model.json`, not yet checked. */
  readonly manifest: unknown;
  /** The ONNX graph. */
  readonly graph: ArrayBuffer;
  /** The other files, by path. A bundler reads JSON, so these are not the bytes that the manifest has the digests of. */
  readonly files: Readonly<Record<string, unknown>>;
}

/** Packages in the bundle, by the digest of their content. The graph is checked, the other files are part of this program. */
export function bundleSource(bundled: readonly BundledModel[]): PackageSource {
  return async (ref) => {
    for (const { manifest: given, graph, files } of bundled) {
      const manifest = parse(packageManifest, given);
      // A package that cannot be read has no digest to match: it may be the one asked for.
      if (!manifest.ok) return notReady(`model.json: ${issuesOf(manifest)}`);
      if (manifest.value.name !== ref.model || (await documentDigest(manifest.value)) !== ref.digest) continue;
      return ok({
        manifest: { ...manifest.value, version: ref.version },
        files: new Map(Object.entries(files).map(([path, value]) => [path, encode(JSON.stringify(value))])),
        read: (file) => checked(new Uint8Array(graph), file),
        release: () => undefined, // The bundle's own.
      });
    }
    return undefined;
  };
}

/** The part of an R2 bucket that is read. */
export interface BlobStore {
  get(key: string): Promise<{ readonly size: number; arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

/** ECMAScript 2024. Detaching frees a buffer without waiting for the garbage collector, which is in no hurry for 20 MB. */
interface Transferable extends ArrayBuffer {
  transfer(bytes: number): ArrayBuffer;
}

const documentBytesMax = 1024 * 1024;

/**
 * Packages in a bucket: `blobs/<sha256>` holds each file, and `blobs/<digest>` the document that names them. Everything is
 * checked against the digest it is kept under.
 */
export function storeSource(blobs: BlobStore): PackageSource {
  async function blob(sha256: string, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const object = await blobs.get(`blobs/${sha256}`);
    return object === null || object.size > bytesMax ? undefined : new Uint8Array(await object.arrayBuffer());
  }

  return async (ref) => {
    const document = await blob(ref.digest, documentBytesMax);
    if (document === undefined) return undefined;
    const digest = await sha256Hex(document);
    if (digest !== ref.digest) return notReady(`The package ${ref.digest} is stored with the bytes of ${digest}.`);
    const manifest = parse(packageManifest, { description: "", ...readJson(document), version: ref.version });
    if (!manifest.ok) return notReady(`The package ${ref.digest} is broken: ${issuesOf(manifest)}`);
    if (manifest.value.name !== ref.model) {
      return notReady(`The package ${ref.digest} is of ${manifest.value.name}, not ${ref.model}.`);
    }
    return ok({
      manifest: manifest.value,
      files: new Map(),
      read: async (file) => {
        const bytes = await blob(file.sha256, file.bytes);
        return bytes === undefined ? notReady(`${file.path} (${file.sha256}) is not stored.`) : checked(bytes, file);
      },
      release: ({ buffer }) => {
        (buffer as Transferable).transfer(0);
      },
    });
  };
}

/** The first source that has the package. Faults: `model_not_found`, and whatever that source says. */
export async function findPackage(sources: readonly PackageSource[], ref: PackageRef): Promise<Result<FoundPackage>> {
  for (const source of sources) {
    const found = await source(ref);
    if (found !== undefined) return found;
  }
  return fail("model_not_found", { cause: `No source has the package ${ref.digest} of ${ref.model}@${ref.version}.` });
}

/** The digest that a package goes by. */
export function documentDigest(manifest: PackageManifest): Promise<string> {
  return sha256Hex(encode(packageDocument(manifest)));
}

async function checked(bytes: Uint8Array<ArrayBuffer>, file: PackageFile): Promise<Result<Uint8Array<ArrayBuffer>>> {
  const digest = await sha256Hex(bytes);
  if (digest === file.sha256 && bytes.byteLength === file.bytes) return ok(bytes);
  return notReady(
    `${file.path} has SHA-256 ${digest} and ${bytes.byteLength} bytes; model.json says ${file.sha256} and ${file.bytes}.`,
  );
}

function notReady(cause: string): Result<never> {
  return fail("model_not_ready", { cause });
}

function issuesOf({ fault }: Extract<Result<unknown>, { ok: false }>): string {
  return (fault.issues ?? []).map(({ path, message }) => `${path}: ${message}`).join("; ");
}

function readJson(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}
