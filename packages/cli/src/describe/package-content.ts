import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { PackageFile } from "@ledge/contract";

/** A file of a package: what the manifest says of it, and where its bytes are. */
export interface Content extends PackageFile {
  /** A place on this machine, or the bytes themselves where they were made here. */
  readonly source: string | Uint8Array;
}

/** @throws the error of the file system when the file cannot be read. */
export async function contentOfFile(path: string, source: string): Promise<Content> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(source)) hash.update(chunk);
  const { size } = await stat(source);
  return { path, bytes: size, sha256: hash.digest("hex"), source };
}

export function contentOfBytes(path: string, source: Uint8Array): Content {
  return { path, bytes: source.length, sha256: createHash("sha256").update(source).digest("hex"), source };
}

export async function bytesOf({ source }: Content): Promise<Uint8Array> {
  return typeof source === "string" ? readFile(source) : source;
}

/** What the manifest keeps of it. */
export function fileEntry({ path, bytes, sha256 }: Content): PackageFile {
  return { path, bytes, sha256 };
}
