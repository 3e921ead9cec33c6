import { hash } from "node:crypto";
import { headers } from "@ledge/contract";
import { signatureText, textToSign } from "@ledge/policy/origins";

/** What is sent to an origin, before it is signed. */
export interface Unsigned {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** SHA-256 of the body, hex. */
  readonly bodySha256: string;
  readonly headers: Headers;
}

export function sha256Hex(body: Uint8Array): string {
  return hash("sha256", body, "hex");
}

/**
 * HMAC-SHA-256 (RFC 2104) of two hashes in one call each: a `createHmac` object is a whole Node stream, and costs more than all
 * else that this Worker does for a call.
 */
export function hmacFor(secret: string): (text: string) => string {
  const blockBytes = 64;
  const secretBytes = encoder.encode(secret);
  const key = new Uint8Array(blockBytes);
  key.set(secretBytes.length > blockBytes ? fromHex(sha256Hex(secretBytes)) : secretBytes);
  const [inner, outer] = [key.map((byte) => byte ^ 0x36), key.map((byte) => byte ^ 0x5c)];
  return (text) => sha256Hex(joined(outer, fromHex(sha256Hex(joined(inner, encoder.encode(text))))));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

const encoder = new TextEncoder();

/** Puts the signature on: each attempt has its own time and nonce, as the origin takes a nonce once. */
export function sign({ headers: named, ...request }: Unsigned, hmac: (text: string) => string, nowMs: number): void {
  const nonce = crypto.randomUUID().replaceAll("-", "");
  const text = textToSign({ ...request, atMs: nowMs, nonce, header: (name) => named.get(name) });
  const mac = hmac(text);
  named.set(headers.signature, signatureText({ atMs: nowMs, nonce, bodySha256: request.bodySha256, mac }));
}
