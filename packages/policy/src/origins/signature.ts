import { headerLengthHeader, headers } from "@ledge/contract";

/**
 * How a request between edge and origin is signed: HMAC-SHA-256, under the secret that both know, over what is asked, when, and by
 * a nonce that is used once (docs/resilience.md).
 */

/** Headers that are signed with the request: what the origin acts on. One that is absent is signed as empty. */
export const signedHeaders: readonly string[] = [
  "Content-Type",
  headerLengthHeader,
  headers.requestId,
  headers.timeoutMs,
  headers.deadline,
  headers.payer,
  headers.priority,
];

export interface SignedRequest {
  readonly method: string;
  /** With the query, as it is sent. */
  readonly path: string;
  /** SHA-256 of the body, hex; of nothing when there is none. */
  readonly bodySha256: string;
  /** Milliseconds since 1970, by the signer's clock. */
  readonly atMs: number;
  /** 32 hex digits. */
  readonly nonce: string;
  readonly header: (name: string) => string | null;
}

/** What the MAC is over. Each member is a line; none can hold a line's end, as HTTP has none in them. */
export function textToSign({ method, path, bodySha256, atMs, nonce, header }: SignedRequest): string {
  const signed = signedHeaders.map((name) => `${name.toLowerCase()}:${header(name) ?? ""}`);
  return ["ledge-1", method, path, bodySha256, String(atMs), nonce, ...signed].join("\n");
}

/** What the header `Ledge-Signature` says. */
export interface Signature {
  readonly atMs: number;
  readonly nonce: string;
  readonly bodySha256: string;
  /** Hex. */
  readonly mac: string;
}

export function signatureText({ atMs, nonce, bodySha256, mac }: Signature): string {
  return `v=1;at=${atMs};nonce=${nonce};body=${bodySha256};mac=${mac}`;
}

/** `undefined` for what is no signature. */
export function parseSignature(text: string): Signature | undefined {
  const match = /^v=1;at=([0-9]{1,15});nonce=([0-9a-f]{32});body=([0-9a-f]{64});mac=([0-9a-f]{64})$/.exec(text);
  if (match === null) return undefined;
  const [, at = "", nonce = "", bodySha256 = "", mac = ""] = match;
  return { atMs: Number(at), nonce, bodySha256, mac };
}

/** Clocks of edge and origin may differ by this much. A nonce is remembered for as long as its time is taken. */
export const clockSkewMs = 30_000;

export function isTimely(atMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - atMs) <= clockSkewMs;
}
