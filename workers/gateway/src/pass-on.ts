import { fail, headers, ok } from "@ledge/contract";
import { bearer } from "./bearer.ts";
import type { Handler, Route } from "./serve.ts";

/** What the operator asks goes to a Worker of its own, unread (docs/decisions/0009-operator-worker.md). */

/**
 * Passes a request on as it came, its body unread, under the id that this gateway gave it; the operator Worker's answer is
 * the answer. Errors: `operator_unavailable`.
 */
const passOn: Handler = async (x) => {
  const { operator, catalog, cacheRules, gate } = x.runtime;
  const named = new Headers(x.request.headers);
  named.set(headers.requestId, x.requestId);
  try {
    const response = await operator.fetch(new Request(x.request, { headers: named }));
    // A wrong key of the operator's is an offence like a caller's; the right one is never held up.
    if (response.status === 401 && bearer(x.request.headers) !== undefined) {
      const wrong = { code: "invalid_credentials" } as const;
      const refused = await gate.offences.refuse(x.request, wrong, x.waitUntil);
      if (!refused.ok && refused.fault.code === "caller_blocked") return refused;
    }
    // The isolate that passed a change on knows it at once; the others read it within seconds.
    if (response.ok && !/^(?:GET|HEAD)$/.test(x.request.method)) {
      await Promise.all([catalog.catchUp(), cacheRules.catchUp()]);
    }
    return ok(response);
  } catch (error) {
    return fail("operator_unavailable", { cause: String(error) });
  }
};

/** What this isolate has counted is handed over first: an operator who just called sees the calls. */
const passOnCounted: Handler = async (x, c) => {
  await x.runtime.tallies.flush();
  return await passOn(x, c);
};

const paths = [
  "/admin/*",
  "/metrics",
  "/openapi.json",
  "/v2/repository/models/:model/load",
  "/v2/repository/models/:model/unload",
];

/** The operator Worker's paths; which of them there are, and by which method, it says itself. */
export const passedOn: readonly Route[] = [
  ["GET", "/admin/v1/models/:model/rollout", passOnCounted],
  ...paths.map((path): Route => ["ALL", path, passOn]),
];
