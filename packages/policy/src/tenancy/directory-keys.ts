import {
  canonicalJson,
  type DirectoryChange,
  type DirectoryKey,
  fail,
  type KeyRecord,
  type KeySettings,
  keySettings,
  ok,
  parse,
  type Result,
  type Scope,
} from "@ledge/contract";
import { mergePatch } from "../merge-patch.ts";
import { newTenant, tenantNamed } from "./directory-tenants.ts";
import { type DirectoryStep, type DirectoryView, nothing } from "./directory-view.ts";
import { actionsBeyond, mayIssue } from "./roles.ts";

type Change = Extract<DirectoryChange, { kind: "issue-key" | "change-key" | "rotate-key" | "revoke-key" }>;
type Issue = Extract<Change, { kind: "issue-key" }>;
type Rotate = Extract<Change, { kind: "rotate-key" }>;

export function keyStep(view: DirectoryView, change: Change, nowMs: number): Result<DirectoryStep> {
  if (change.kind === "issue-key") return issue(view, change, nowMs);
  const before = view.key(change.id);
  const of = change.kind === "change-key" ? undefined : change.by?.tenant;
  // Another tenant's key is as absent as one that nobody has.
  if (before === undefined || (of !== undefined && before.tenant !== of)) return fail("key_not_found");
  if (change.kind === "revoke-key") return ok(revoked(before, nowMs));
  if (before.revokedAtMs !== undefined) return fail("directory_conflict", { detail: "The key is revoked." });
  return change.kind === "rotate-key"
    ? rotate(view, before, change, nowMs)
    : changeSettings(view, before, change, nowMs);
}

function issue(view: DirectoryView, { key, registers, by }: Issue, nowMs: number): Result<DirectoryStep> {
  const tenant = tenantNamed(view, key.tenant);
  if (!tenant.ok && (!registers || view.wasDeleted(key.tenant))) return tenant;
  const known = view.key(key.id);
  if (known !== undefined) return known.revokedAtMs === undefined ? taken : gone;
  const allowed = isAllowed(view, key, nowMs);
  if (!allowed.ok) return allowed;
  if (by !== undefined && !mayIssue(by.scopes, key.scopes)) return tooStrong;
  const made = tenant.ok ? nothing : newTenant(key.tenant, {}, nowMs);
  return ok({
    writes: [...made.writes, { entry: "key", is: key }],
    audit: [...made.audit, { kind: "issue-key", scope: `key:${key.id}`, from: null, to: factsOf(key) }],
  });
}

/** A key's id is 96 random bits: it never happens, and overwrites nobody's key when it does. A certificate's is its fingerprint. */
const taken = fail("directory_conflict", {
  detail:
    "A key or certificate with this id is registered already. Revoke it first, or ask again for a key with another id.",
});

/** What was revoked stays so: whoever has it may be whom it was revoked for. */
const gone = fail("directory_conflict", {
  detail: "A key or certificate with this id was revoked and stays so. Issue a new key, or register a new certificate.",
});

const tooStrong = fail("scope_denied", { detail: "The key that asks may not hand on so much." });

/** Whether a key may be as it says: its project and member, what the member's role lets it do, its tier, its end. */
function isAllowed(view: DirectoryView, key: KeyRecord, nowMs: number): Result<true> {
  const { tenant, project, user, tier, scopes, expiresAtMs } = key;
  if (project !== undefined && view.project(tenant, project) === undefined) return fail("project_not_found");
  const member = user === undefined ? undefined : view.member(tenant, user);
  if (user !== undefined && member === undefined) return fail("member_not_found");
  const beyond = member === undefined ? [] : actionsBeyond(member.role, scopes);
  if (beyond.length > 0) {
    const detail = `'${user}' is ${member?.role}: a key of that role has no ${beyond.join(", ")}.`;
    return fail("scope_denied", { detail });
  }
  if (tier !== undefined && !Object.hasOwn(view.terms().tiers, tier)) {
    return fail("terms_not_found", { detail: `There is no tier '${tier}'.` });
  }
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) {
    return fail("invalid_request", { issues: [{ path: "expires_at", message: "a time to come" }] });
  }
  return ok(true);
}

function changeSettings(
  view: DirectoryView,
  before: DirectoryKey,
  { patch, expiresAtMs = before.expiresAtMs ?? null }: Extract<Change, { kind: "change-key" }>,
  nowMs: number,
): Result<DirectoryStep> {
  const settings = parse(keySettings, mergePatch(settingsOf(before), patch));
  if (!settings.ok) return settings;
  const { name: _n, scopes: _s, tier: _t, limits: _l, ips: _i, expiresAtMs: _e, ...rest } = before;
  const endless: DirectoryKey = { ...rest, ...settings.value };
  const after = expiresAtMs === null ? endless : { ...endless, expiresAtMs };
  if (canonicalJson(before) === canonicalJson(after)) return ok(nothing);
  // An end that has passed may stay: only a new one must lie ahead.
  const allowed = isAllowed(view, expiresAtMs === before.expiresAtMs ? endless : after, nowMs);
  return allowed.ok ? ok(written(before, after, "change-key")) : allowed;
}

function settingsOf({ name, scopes, tier, limits, ips }: DirectoryKey): KeySettings {
  return { name, scopes, tier, limits, ips };
}

/** The new key is as the old one was, and the old one ends when the overlap does. */
function rotate(
  view: DirectoryView,
  before: DirectoryKey,
  { made, overlapMs, by }: Rotate,
  nowMs: number,
): Result<DirectoryStep> {
  if (before.rotatedTo !== undefined && view.key(before.rotatedTo)?.revokedAtMs === undefined) {
    return fail("directory_conflict", { detail: `The key was rotated already: ${before.rotatedTo} took over.` });
  }
  if (before.expiresAtMs !== undefined && before.expiresAtMs <= nowMs) {
    return fail("directory_conflict", { detail: "The key has expired. Issue a new one." });
  }
  if (view.key(made.id) !== undefined) return taken;
  if (by !== undefined && !mayIssue(by.scopes, before.scopes)) return tooStrong;
  const { rotatedFrom: _, rotatedTo: __, ...fields } = before;
  const after: DirectoryKey = { ...fields, ...made, createdAtMs: nowMs, rotatedFrom: before.id };
  const linked: DirectoryKey = { ...before, rotatedTo: made.id };
  const endMs = Math.min(before.expiresAtMs ?? Number.POSITIVE_INFINITY, nowMs + overlapMs);
  const old = overlapMs === 0 ? { ...linked, revokedAtMs: nowMs } : { ...linked, expiresAtMs: endMs };
  return ok({
    writes: [
      { entry: "key", is: after },
      { entry: "key", is: old },
    ],
    audit: [{ kind: "rotate-key", scope: `key:${before.id}`, from: factsOf(old), to: factsOf(after) }],
  });
}

/** Ends a key. One that has ended stays as it is. */
export function revoked(key: DirectoryKey, nowMs: number, reason?: string): DirectoryStep {
  if (key.revokedAtMs !== undefined) return nothing;
  return written(key, { ...key, revokedAtMs: nowMs }, "revoke-key", reason);
}

/** Gives a key other scopes. */
export function scoped(key: DirectoryKey, scopes: readonly Scope[], reason: string): DirectoryStep {
  return written(key, { ...key, scopes: [...scopes] }, "change-key", reason);
}

function written(before: DirectoryKey, after: DirectoryKey, kind: string, reason?: string): DirectoryStep {
  const said = { kind, scope: `key:${after.id}`, from: factsOf(before), to: factsOf(after) };
  return { writes: [{ entry: "key", is: after }], audit: [reason === undefined ? said : { ...said, reason }] };
}

/** What the audit says of a key: everything but its hash. */
function factsOf({ hash: _, ...facts }: DirectoryKey): Omit<DirectoryKey, "hash"> {
  return facts;
}
