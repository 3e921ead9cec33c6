import { type BlobAnswer, fail, ok, type Result, sha256Hex } from "@ledge/contract";
import type { BlobStore } from "./ports.ts";
import { reach } from "./reach.ts";

/** Files of packages, each under its SHA-256: put once, the same for ever. */

/**
 * Stores a body under its SHA-256; again is the same as once. Errors: `blob_not_found` for a path that is no SHA-256,
 * `invalid_header`, `invalid_request`, `body_too_large`, `digest_mismatch`: nothing is stored then; `registry_unavailable`.
 */
export async function putBlob(
  request: Request,
  sha256: string,
  { blobs, bytesMax }: { readonly blobs: BlobStore; readonly bytesMax: number },
): Promise<Result<BlobAnswer>> {
  const { body } = request;
  const refused = refusalOf(request, sha256, bytesMax);
  if (refused !== undefined || body === null) {
    // Read to its end all the same: a caller who is still sending when the answer comes sees a broken connection instead.
    await body?.pipeTo(new WritableStream()).catch(() => undefined);
    return refused ?? emptyFile;
  }
  const bytes = await reach(() => blobs.put(sha256, body));
  if (!bytes.ok) return bytes;
  return bytes.value === undefined ? fail("digest_mismatch") : ok({ sha256, bytes: bytes.value });
}

const emptyFile = fail("invalid_request", { detail: "A file has at least one byte." });

function refusalOf({ headers }: Request, sha256: string, bytesMax: number): Result<never> | undefined {
  if (!isDigest(sha256)) return fail("blob_not_found", { detail: "A blob is named by 64 hex digits, in lower case." });
  const declared = headers.get("Content-Length");
  // R2 stores no stream of unknown length, and holding a whole file in memory would push others out.
  if (declared === null) return fail("invalid_header", { detail: "Send a Content-Length." });
  if (Number(declared) > bytesMax) return fail("body_too_large", { detail: `At most ${bytesMax} bytes are taken.` });
  return Number(declared) === 0 ? emptyFile : undefined;
}

export interface Blob {
  readonly bytes: number;
  /** Absent when only its size was asked for. */
  readonly body?: ReadableStream<Uint8Array>;
}

/** Errors: `blob_not_found`, `registry_unavailable`. */
export async function getBlob(sha256: string, sizeOnly: boolean, blobs: BlobStore): Promise<Result<Blob>> {
  if (!isDigest(sha256)) return fail("blob_not_found");
  const found = await reach<Blob | undefined>(async () => {
    if (!sizeOnly) return await blobs.get(sha256);
    const bytes = await blobs.bytesOf(sha256);
    return bytes === undefined ? undefined : { bytes };
  });
  if (!found.ok) return found;
  return found.value === undefined ? fail("blob_not_found") : ok(found.value);
}

function isDigest(text: string): boolean {
  return sha256Hex.safeParse(text).success;
}
