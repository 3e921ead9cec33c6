import type { BlobStore } from "../operate/ports.ts";

/** R2, by content: what lies under a key is never another thing. */
export function r2Blobs(bucket: R2Bucket): BlobStore {
  return {
    async bytesOf(sha256) {
      return (await bucket.head(keyOf(sha256)))?.size;
    },
    async get(sha256) {
      const object = await bucket.get(keyOf(sha256));
      return object === null ? undefined : { bytes: object.size, body: object.body };
    },
    async put(sha256, body) {
      try {
        const stored = await bucket.put(keyOf(sha256), body, { sha256 });
        return stored.size;
      } catch (error) {
        if (isMismatch(error)) return undefined;
        throw error;
      }
    },
  };
}

function keyOf(sha256: string): string {
  return `blobs/${sha256}`;
}

/** R2's error 10037, BadDigest; it has no type of its own. */
function isMismatch(error: unknown): boolean {
  return /\(10037\)|checksum you specified did not match/.test(String(error));
}
