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
