import { type Action, fail, headers, ok, type Result } from "@ledge/contract";
import { admit } from "./admit/admit.ts";
import { bearer } from "./bearer.ts";
import { callerHeader } from "./caller.ts";
import type { Handler, Route } from "./serve.ts";

/** What the operator asks goes to a Worker of its own, unread (docs/decisions/0009-operator-worker.md). */

/**
 * Passes a request on as it came, its body unread, under the id that this gateway gave it; the operator Worker's answer is
 * the answer. Errors: `operator_unavailable`.
 */
const passOn: Handler = async (x) => {
  const passed = await forward(x, {});
  if (!passed.ok) return passed;
  const { catalog, cacheRules, gate } = x.runtime;
  // A wrong key of the operator's is an offence like a caller's; the right one is never held up.
  if (passed.value.status === 401 && bearer(x.request.headers) !== undefined) {
    const refused = await gate.offences.refuse(x.request, { code: "invalid_credentials" }, x.waitUntil);
    if (!refused.ok && refused.fault.code === "caller_blocked") return refused;
  }
  // The isolate that passed a change on knows it at once; the others read it within seconds.
  if (passed.value.ok && !/^(?:GET|HEAD)$/.test(x.request.method)) {
    await Promise.all([catalog.catchUp(), cacheRules.catchUp()]);
  }
  return passed;
};

async function forward(x: Parameters<Handler>[0], more: Readonly<Record<string, string>>): Promise<Result<Response>> {
  const named = new Headers(x.request.headers);
  for (const [name, value] of Object.entries({ [headers.requestId]: x.requestId, ...more })) named.set(name, value);
  try {
    return ok(await x.runtime.operator.fetch(new Request(x.request, { headers: named })));
  } catch (error) {
    return fail("operator_unavailable", { cause: String(error) });
  }
}

/** What tenants ask about themselves: the caller is admitted here, and passed on by its name. */
export function passOnFor(action: Action): Handler {
  return async (x) => {
    const demand = { action, inputBytes: 0 };
    const admitted = await admit(x.request, demand, x.runtime.gate, x.trail, x.waitUntil);
    if (!admitted.ok) return admitted;
    // A request like any other, also when it is refused there.
    x.trail.used = {};
    const { tenant, subject, scopes } = admitted.value;
    const caller = encodeURIComponent(JSON.stringify({ tenant, subject, scopes }));
    return await forward(x, { [callerHeader]: caller });
  };
}

/** What this isolate has counted is handed over first: an operator who just called sees the calls. */
const passOnCounted: Handler = async (x, c) => {
  await Promise.all([x.runtime.tallies.flush(), x.runtime.accounts.flush()]);
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
  ["GET", "/admin/v1/usage", passOnCounted],
  ...paths.map((path): Route => ["ALL", path, passOn]),
  ["GET", "/v1/keys", passOnFor("admin-read")],
  ["POST", "/v1/keys", passOnFor("admin-write")],
  ["GET", "/v1/keys/:id", passOnFor("admin-read")],
  ["POST", "/v1/keys/:id/rotate", passOnFor("admin-write")],
  ["DELETE", "/v1/keys/:id", passOnFor("admin-write")],
];
