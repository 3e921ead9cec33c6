import { fail, ok, type Result } from "@ledge/contract";
import { type ModelRef, parseModelRef } from "@ledge/policy";
import { admit } from "./admit/admit.ts";
import type { Exchange } from "./app.ts";
import { assign } from "./assign/assign.ts";
import { type CatalogView, deployedModels } from "./assign/view.ts";
import type { DeployedModel } from "./exchange.ts";
import type { RouteContext } from "./find-route.ts";
import { jsonReply, type Reply } from "./reply.ts";
import type { Handler } from "./serve.ts";

/** Answers about models, for callers who may call them; a look costs a request like any other. */

/** What is deployed, for somebody who may call it. Errors: those of `admit`. */
export async function viewFor(x: Exchange): Promise<Result<CatalogView>> {
  const admission = await admit(x.request, { inputBytes: 0 }, x.runtime.gate, x.trail, x.waitUntil);
  return admission.ok ? ok(await x.runtime.catalog.view(x.waitUntil)) : admission;
}

/** The model that the path names. Errors: `model_not_found`. */
export function refIn(c: RouteContext): Result<ModelRef> {
  const name = c.param("model") ?? "";
  const asked = c.param("version");
  const ref = parseModelRef(asked === undefined ? name : `${name}@${asked}`);
  return ref === undefined ? fail("model_not_found") : ok(ref);
}

/** One model. Errors: those of `admit` and `assign`. */
export function lookUp(present: (model: DeployedModel, all: readonly DeployedModel[]) => Reply): Handler {
  return async (x, c) => {
    const view = await viewFor(x);
    if (!view.ok) return view;
    const ref = refIn(c);
    if (!ref.ok) return ref;
    const assigned = assign(view.value, ref.value);
    return assigned.ok ? ok(present(assigned.value.model, deployedModels(view.value))) : assigned;
  };
}

export function listModels(present: (view: CatalogView) => Reply): Handler {
  return async (x) => {
    const view = await viewFor(x);
    return view.ok ? ok(present(view.value)) : view;
  };
}

const readyTimeoutMs = 3_000;

/** Ready while the edge can answer: an origin that is down takes only its own models away. */
export const ready: Handler = async (x) => {
  const { tiers, nowMs } = x.runtime;
  const journey = { requestId: x.requestId, deadlineMs: nowMs() + readyTimeoutMs, signal: x.request.signal };
  const [edge, origin] = await Promise.all([tiers.edge.ready(journey), tiers.origin.ready(journey)]);
  return ok(jsonReply({ ready: edge, edge, origin }, edge ? 200 : 503));
};
