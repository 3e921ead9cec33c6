import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { Digests } from "../ports.ts";

/**
 * Synchronous on purpose: `crypto.subtle.digest` costs a turn of the event loop on every request. In one call, because
 * a `createHash` object is a whole Node stream.
 */
export const digests: Digests = {
  sha256Hex: (data) => hash("sha256", data, "hex"),
  same: (a, b) => a.length === b.length && timingSafeEqual(encoder.encode(a), encoder.encode(b)),
};

const encoder = new TextEncoder();

/** HMAC-SHA-256 under a secret, hex. */
export function keyedHash(secret: string): (text: string) => string {
  return (text) => createHmac("sha256", secret).update(text).digest("hex");
}
