import { fail, headers, ok, type Result } from "@ledge/contract";
import type { Config } from "../config.ts";
import { bearerCheck } from "./bearer.ts";
import { signatureCheck } from "./signature.ts";

/**
 * Makes the check of who asks: the edge, by its signature, or by the secret itself where the configuration takes that. What passes
 * is the SHA-256 that the body must have; `undefined` when nothing was signed. Fails with `missing_credentials`,
 * `invalid_credentials` or `overloaded`.
 */
export function callerCheck(
  { secret, bearer }: Pick<Config, "secret" | "bearer">,
  nowMs: () => number,
): (request: Request) => Result<string | undefined> {
  const [byBearer, bySignature] = [bearerCheck(secret), signatureCheck(secret, nowMs)];
  return ({ method, url, headers: named }) => {
    const signature = named.get(headers.signature);
    if (signature !== null) {
      const { pathname, search } = new URL(url);
      return bySignature({ method, path: pathname + search, signature, header: (name) => named.get(name) });
    }
    if (!bearer) return fail("missing_credentials", { cause: "the request is not signed" });
    const known = byBearer(named.get("Authorization"));
    return known.ok ? ok(undefined) : known;
  };
}
