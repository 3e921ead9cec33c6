import { fail, type ModelManifest, ok, type Result } from "@ledge/contract";

/**
 * Compares a graph with the SHA-256 and size in its manifest: a half-copied or swapped file must not answer.
 * Fault: `model_not_ready`, naming both digests in its cause.
 */
export async function checkDigest(graph: ArrayBuffer, file: ModelManifest["file"]): Promise<Result<true>> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", graph));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex === file.sha256 && graph.byteLength === file.bytes) return ok(true);
  return fail("model_not_ready", {
    cause: `${file.path} has SHA-256 ${hex} and ${graph.byteLength} bytes; model.json says ${file.sha256} and ${file.bytes}.`,
  });
}
