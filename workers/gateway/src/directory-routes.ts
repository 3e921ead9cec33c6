import { ok, type Result } from "@ledge/contract";
import { readJson } from "./accept/body.ts";
import { json, type OperatorRoute, operate, operateOn, type Visit } from "./admin-routes.ts";
import { type Caller, callerHeader } from "./caller.ts";
import { ownKeyDesk } from "./desks.ts";
import * as admins from "./operate/admins.ts";
import type { Made } from "./operate/directory.ts";
import * as keys from "./operate/keys.ts";
import * as tenants from "./operate/tenants.ts";
import * as terms from "./operate/terms.ts";
import type { OperatorRuntime } from "./operator-wire.ts";
import { jsonReply, type Reply } from "./reply.ts";
import type { Handler } from "./serve.ts";

/** The operator's API for tenants, keys, terms and admin credentials, and what tenants themselves may ask of their keys. */

/** 202 when gateways cannot read it yet. */
async function made(work: Promise<Result<Made<unknown>>>, status: 200 | 201 = 200): Promise<Result<Reply>> {
  const done = await work;
  return done.ok ? ok(jsonReply(done.value.value, done.value.published ? status : 202)) : done;
}

const tenant = "/tenants/:tenant";
const named = ({ params }: Visit) => params("tenant");

const tenantRoutes: readonly OperatorRoute[] = [
  operate("GET", "/tenants", "tenants:read", ({ desks, query }) => json(tenants.listTenants(query, desks.tenants))),
  operateOn("POST", "/tenants", "tenants:write", (body, { desks }) =>
    made(tenants.createTenant(body, desks.tenants), 201),
  ),
  operate("GET", tenant, "tenants:read", (v) => json(tenants.showTenant(named(v), v.desks.tenants))),
  operateOn("PATCH", tenant, "tenants:write", (body, v) => made(tenants.changeTenant(named(v), body, v.desks.tenants))),
  operate("DELETE", tenant, "tenants:write", (v) => made(tenants.deleteTenant(named(v), v.desks.tenants))),
  operate("POST", `${tenant}/suspend`, "tenants:write", (v) =>
    made(tenants.moveTenant("suspend-tenant", named(v), v.desks.tenants)),
  ),
  operate("POST", `${tenant}/resume`, "tenants:write", (v) =>
    made(tenants.moveTenant("resume-tenant", named(v), v.desks.tenants)),
  ),
  operateOn("PUT", `${tenant}/webhook`, "tenants:write", (body, v) =>
    json(tenants.setWebhook(named(v), body, v.desks.tenants)),
  ),
  operate("DELETE", `${tenant}/webhook`, "tenants:write", (v) =>
    json(tenants.removeWebhook(named(v), v.desks.tenants)),
  ),
  operate("GET", `${tenant}/projects`, "tenants:read", (v) => json(tenants.listProjects(named(v), v.desks.tenants))),
  operateOn("PUT", `${tenant}/projects/:project`, "tenants:write", (body, v) =>
    json(tenants.setProject(named(v), v.params("project"), body, v.desks.tenants)),
  ),
  operate("DELETE", `${tenant}/projects/:project`, "tenants:write", (v) =>
    json(tenants.removeProject(named(v), v.params("project"), v.desks.tenants)),
  ),
  operate("GET", `${tenant}/members`, "tenants:read", (v) => json(tenants.listMembers(named(v), v.desks.tenants))),
  operateOn("PUT", `${tenant}/members/:user`, "tenants:write", (body, v) =>
    made(tenants.setMember(named(v), v.params("user"), body, v.desks.tenants)),
  ),
  operate("DELETE", `${tenant}/members/:user`, "tenants:write", (v) =>
    made(tenants.removeMember(named(v), v.params("user"), v.desks.tenants)),
  ),
];

const key = "/keys/:id";

const keyRoutes: readonly OperatorRoute[] = [
  operateOn("POST", "/keys", "keys:write", (body, { desks }) => made(keys.issueKey(body, desks.keys), 201)),
  operateOn("POST", "/certificates", "keys:write", (body, { desks }) =>
    made(keys.registerCertificate(body, desks.keys), 201),
  ),
  operate("GET", "/keys", "keys:read", ({ desks, query }) => json(keys.listKeys(query, desks.keys))),
  operate("GET", key, "keys:read", ({ desks, params }) => json(keys.showKey(params("id"), desks.keys))),
  operateOn("PATCH", key, "keys:write", (body, { desks, params }) =>
    made(keys.changeKey(params("id"), body, desks.keys)),
  ),
  operateOn("POST", `${key}/rotate`, "keys:write", (body, { desks, params }) =>
    made(keys.rotateKey(params("id"), body, desks.keys), 201),
  ),
  operate("DELETE", key, "keys:write", ({ desks, params }) => made(keys.revokeKey(params("id"), desks.keys))),
];

const plan = "/plans/:plan";
const tier = "/tiers/:tier";
const modelTerms = "/models/:model/terms";

const termsRoutes: readonly OperatorRoute[] = [
  operate("GET", "/terms", "terms:read", ({ desks }) => json(terms.showTerms(desks.terms))),
  operateOn("PUT", plan, "terms:write", (body, { desks, params }) =>
    made(terms.setPlan(params("plan"), body, desks.terms)),
  ),
  operate("DELETE", plan, "terms:write", ({ desks, params }) => {
    const name = params("plan");
    return made(terms.removeTerms({ kind: "set-plan", plan: name, is: null }, name, desks.terms));
  }),
  operateOn("PUT", tier, "terms:write", (body, { desks, params }) =>
    made(terms.setTier(params("tier"), body, desks.terms)),
  ),
  operate("DELETE", tier, "terms:write", ({ desks, params }) => {
    const name = params("tier");
    return made(terms.removeTerms({ kind: "set-tier", tier: name, is: null }, name, desks.terms));
  }),
  operate("GET", modelTerms, "terms:read", ({ desks, params }) =>
    json(terms.showModelTerms(params("model"), desks.terms)),
  ),
  operateOn("PUT", modelTerms, "terms:write", (body, { desks, params }) =>
    made(terms.setModelTerms(params("model"), body, desks.terms)),
  ),
  operate("DELETE", modelTerms, "terms:write", ({ desks, params }) => {
    const name = params("model");
    return made(terms.removeTerms({ kind: "set-model-terms", model: name, is: null }, name, desks.terms));
  }),
  operateOn("PUT", "/prices", "terms:write", (body, { desks }) => made(terms.setPrices(body, desks.terms))),
];

const adminRoutes: readonly OperatorRoute[] = [
  operate("GET", "/admins", "admins:read", ({ desks }) => json(admins.listAdmins(desks.admins))),
  operateOn("POST", "/admins", "admins:write", (body, { desks }) => json(admins.createAdmin(body, desks.admins), 201)),
  operate("DELETE", "/admins/:name", "admins:write", ({ desks, params }) =>
    json(admins.revokeAdmin(params("name"), desks.admins)),
  ),
];

type OwnKeyWork = (
  desk: keys.KeyDesk,
  x: Parameters<Handler<OperatorRuntime>>[0],
  id: string,
) => Promise<Result<Reply>>;

/** For tenants' own keys. The gateway has admitted the caller and says who it is; nobody else reaches this Worker's path. */
function own(work: OwnKeyWork): Handler<OperatorRuntime> {
  return async (x, c) => {
    const caller: Caller = JSON.parse(decodeURIComponent(x.request.headers.get(callerHeader) ?? ""));
    return await work(ownKeyDesk(x.runtime, caller), x, c.param("id") ?? "");
  };
}

function ownOn(work: (body: unknown, desk: keys.KeyDesk, id: string) => Promise<Result<Reply>>) {
  return own(async (desk, x, id) => {
    const body = await readJson(x.request, x.runtime.config.BODY_BYTES_MAX);
    return body.ok ? await work(body.value, desk, id) : body;
  });
}

/** The paths are the gateway's too, which admits who asks (`pass-on.ts`). */
export const ownKeyRoutes: readonly OperatorRoute[] = [
  ["GET", "/v1/keys", own((desk, x) => json(keys.listKeys(new URL(x.request.url).searchParams, desk)))],
  ["POST", "/v1/keys", ownOn((body, desk) => made(keys.issueKey(body, desk), 201))],
  ["GET", "/v1/keys/:id", own((desk, _, id) => json(keys.showKey(id, desk)))],
  ["POST", "/v1/keys/:id/rotate", ownOn((body, desk, id) => made(keys.rotateKey(id, body, desk), 201))],
  ["DELETE", "/v1/keys/:id", own((desk, _, id) => made(keys.revokeKey(id, desk)))],
];

export const directoryRoutes: readonly OperatorRoute[] = [
  ...tenantRoutes,
  ...keyRoutes,
  ...termsRoutes,
  ...adminRoutes,
];
