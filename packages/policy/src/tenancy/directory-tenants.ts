import {
  canonicalJson,
  type DirectoryChange,
  type DirectoryTenant,
  fail,
  ok,
  parse,
  type Result,
  type TenantRecord,
  type TenantSettings,
  tenantDefaults,
  tenantSettings,
} from "@ledge/contract";
import { mergePatch } from "../merge-patch.ts";
import { type DirectoryStep, type DirectoryView, nothing } from "./directory-view.ts";

type Kind = "create-tenant" | "change-tenant" | "suspend-tenant" | "resume-tenant" | "delete-tenant" | "set-webhook";
type Change = Extract<DirectoryChange, { kind: Kind }>;

export function tenantStep(view: DirectoryView, change: Change, nowMs: number): Result<DirectoryStep> {
  if (change.kind === "create-tenant") return create(view, change.tenant, change.settings, nowMs);
  const before = tenantNamed(view, change.tenant);
  if (!before.ok) return before;
  switch (change.kind) {
    case "change-tenant":
      return changeSettings(view, before.value, change.patch);
    case "suspend-tenant":
      return ok(moved(before.value, { ...before.value, state: "suspended" }, change.kind, "state"));
    case "resume-tenant":
      return ok(moved(before.value, { ...before.value, state: "active" }, change.kind, "state"));
    case "set-webhook":
      return ok(pointed(before.value, change.url));
    case "delete-tenant":
      return ok(deleted(view, before.value));
  }
}

/** Errors: `tenant_not_found`, with what to do about it. */
export function tenantNamed(view: DirectoryView, name: string): Result<DirectoryTenant> {
  const tenant = view.tenant(name);
  if (tenant !== undefined) return ok(tenant);
  const detail = view.wasDeleted(name)
    ? `The tenant '${name}' was deleted. Create it again first.`
    : `There is no tenant '${name}'.`;
  return fail("tenant_not_found", { detail });
}

/** A tenant as it begins, with its row of the audit. */
export function newTenant(tenant: string, settings: TenantSettings, nowMs: number): DirectoryStep {
  const is: DirectoryTenant = { tenant, state: "active", settings, createdAtMs: nowMs };
  return {
    writes: [{ entry: "tenant", tenant, is }],
    audit: [{ kind: "create-tenant", scope: `tenant:${tenant}`, from: null, to: settings }],
  };
}

function create(view: DirectoryView, tenant: string, settings: TenantSettings, nowMs: number): Result<DirectoryStep> {
  if (view.tenant(tenant) !== undefined) {
    return fail("directory_conflict", { detail: `There is a tenant '${tenant}' already.` });
  }
  const plan = planIsThere(view, settings);
  return plan.ok ? ok(newTenant(tenant, settings, nowMs)) : plan;
}

function changeSettings(view: DirectoryView, before: DirectoryTenant, patch: object): Result<DirectoryStep> {
  const settings = parse(tenantSettings, mergePatch(before.settings, patch));
  if (!settings.ok) return settings;
  const plan = planIsThere(view, settings.value);
  return plan.ok ? ok(moved(before, { ...before, settings: settings.value }, "change-tenant", "settings")) : plan;
}

function planIsThere(view: DirectoryView, { plan }: TenantSettings): Result<true> {
  if (plan === undefined || Object.hasOwn(view.terms().plans, plan)) return ok(true);
  return fail("terms_not_found", { detail: `There is no plan '${plan}'.` });
}

function moved(before: DirectoryTenant, after: DirectoryTenant, kind: Kind, what: "settings" | "state"): DirectoryStep {
  if (canonicalJson(before) === canonicalJson(after)) return nothing;
  const { tenant } = before;
  return {
    writes: [{ entry: "tenant", tenant, is: after }],
    audit: [{ kind, scope: `tenant:${tenant}`, from: before[what], to: after[what] }],
  };
}

/** Setting it again makes a new secret: that is how one is replaced. Numbers of secrets are not used twice. */
function pointed(before: DirectoryTenant, url: string | null): DirectoryStep {
  const { webhook, tenant, ...rest } = before;
  if (url === null && webhook?.url === undefined) return nothing;
  const secret = (webhook?.secret ?? 0) + 1;
  return {
    writes: [
      { entry: "tenant", tenant, is: { ...rest, tenant, webhook: { ...(url === null ? {} : { url }), secret } } },
    ],
    audit: [{ kind: "set-webhook", scope: `tenant:${tenant}`, from: webhook?.url ?? null, to: url }],
  };
}

function deleted(view: DirectoryView, { tenant, settings }: DirectoryTenant): DirectoryStep {
  const keys = view.keysOf(tenant).map(({ id }) => id);
  return {
    writes: [{ entry: "tenant", tenant, is: null }],
    audit: [
      {
        kind: "delete-tenant",
        scope: `tenant:${tenant}`,
        from: { settings, keys: keys.length, members: view.members(tenant).length },
        to: null,
      },
    ],
  };
}

/** What gateways read of a tenant. */
export function tenantRecordOf({ tenant, state, settings }: DirectoryTenant): TenantRecord {
  const { plan, time_zone, overrun, guard, input, ...rest } = settings;
  return {
    ...rest,
    tenant,
    state,
    plan: plan ?? tenantDefaults.plan,
    time_zone: time_zone ?? tenantDefaults.time_zone,
    overrun: overrun ?? tenantDefaults.overrun,
    guard: { ...tenantDefaults.guard, ...guard },
    input: { ...tenantDefaults.input, ...input },
  };
}

/** What gateways read of a deleted one: tokens in its name are refused, as its keys are. */
export function deletedTenantRecord(tenant: string): TenantRecord {
  return { ...tenantDefaults, tenant, state: "suspended" };
}
