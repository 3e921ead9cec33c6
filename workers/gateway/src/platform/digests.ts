import { createHash, timingSafeEqual } from "node:crypto";
import type { Digests } from "../ports.ts";

/** Synchronous on purpose: `crypto.subtle.digest` costs a turn of the event loop on every request. */
export const digests: Digests = {
  sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
  same: (a, b) => a.length === b.length && timingSafeEqual(encoder.encode(a), encoder.encode(b)),
};

const encoder = new TextEncoder();
