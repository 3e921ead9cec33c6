import { fail, ok, type Result } from "@ledge/contract";
import { bearer } from "../bearer.ts";
import type { Digests } from "../ports.ts";

export interface Gatekeeper {
  readonly digests: Digests;
  /** SHA-256 of the operator's key, hex. */
  readonly adminKeyHash: string;
}

/** The operator's own credential: apart from every caller's, and never looked up in KV. Errors: 401. */
export function admitOperator(request: Request, { digests, adminKeyHash }: Gatekeeper): Result<true> {
  return admitHashes(request, digests, [adminKeyHash]);
}

/** The operator, or the origin by its secret: what it serves, it fetches itself. Errors: 401. */
export function admitOperatorOrOrigin(
  request: Request,
  { digests, adminKeyHash, originSecret }: Gatekeeper & { readonly originSecret: string },
): Result<true> {
  return admitHashes(request, digests, [adminKeyHash, digests.sha256Hex(originSecret)]);
}

function admitHashes(request: Request, digests: Digests, hashes: readonly string[]): Result<true> {
  const credential = bearer(request.headers);
  if (credential === undefined) return fail("missing_credentials");
  const hash = digests.sha256Hex(credential);
  return hashes.filter((known) => digests.same(hash, known)).length > 0 ? ok(true) : fail("invalid_credentials");
}
