import { fail, type KeyRecord, ok, type Result } from "@ledge/contract";
import type { CertificateStore } from "./ports.ts";

/** What Cloudflare says of a client's certificate (`request.cf.tlsClientAuth`). */
interface TlsClientAuth {
  readonly certPresented?: string;
  /** `SUCCESS` when it was issued by a certificate authority of the zone's. */
  readonly certVerified?: string;
  readonly certRevoked?: string;
  readonly certFingerprintSHA256?: string;
}

/**
 * The SHA-256 of the certificate that a caller has shown and Cloudflare has verified, lower-case hex; `undefined` when there
 * is none. It comes with the connection, never with a header, so a caller cannot claim it.
 */
export function certificateOf(request: Request): string | undefined {
  const shown = (request as { readonly cf?: { readonly tlsClientAuth?: TlsClientAuth } }).cf?.tlsClientAuth;
  if (shown?.certPresented !== "1" || shown.certVerified !== "SUCCESS" || shown.certRevoked === "1") return undefined;
  const digest = shown.certFingerprintSHA256?.toLowerCase();
  return digest !== undefined && /^[0-9a-f]{64}$/.test(digest) ? digest : undefined;
}

/** Errors: `invalid_credentials`, `expired_credentials`; `identity_unavailable` when the store cannot be read. */
export async function verifyCertificate(
  sha256: string,
  certificates: CertificateStore,
  nowMs: number,
): Promise<Result<KeyRecord>> {
  let stored: KeyRecord | undefined;
  try {
    stored = await certificates.get(sha256);
  } catch (cause) {
    return fail("identity_unavailable", { retryAfterMs: 1_000, cause: String(cause) });
  }
  if (stored === undefined || stored.hash !== sha256) return fail("invalid_credentials");
  return stored.expiresAtMs !== undefined && stored.expiresAtMs <= nowMs ? fail("expired_credentials") : ok(stored);
}
