import type { IncomingMessage } from "node:http";
import { fail, headers, ok, type Result } from "@ledge/contract";
import type { Config } from "../config.ts";
import { headerOf, targetOf } from "../request.ts";
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
): (request: IncomingMessage) => Result<string | undefined> {
  const [byBearer, bySignature] = [bearerCheck(secret), signatureCheck(secret, nowMs)];
  return (request) => {
    const signature = headerOf(request, headers.signature);
    if (signature !== null) {
      return bySignature({
        method: request.method ?? "",
        path: targetOf(request),
        signature,
        header: (name) => headerOf(request, name),
      });
    }
    if (!bearer) return fail("missing_credentials", { cause: "the request is not signed" });
    const known = byBearer(headerOf(request, "authorization"));
    return known.ok ? ok(undefined) : known;
  };
}
