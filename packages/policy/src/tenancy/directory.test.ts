import {
  type DirectoryAdmin,
  type DirectoryChange,
  type DirectoryKey,
  type DirectoryMember,
  type DirectoryProject,
  type DirectoryTenant,
  type ErrorCode,
  type KeyRecord,
  roles,
  type Terms,
} from "@ledge/contract";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { directoryStep } from "./directory.ts";
import { deletedTenantRecord, tenantRecordOf } from "./directory-tenants.ts";
import type { DirectoryAudit, DirectoryView, DirectoryWrite } from "./directory-view.ts";
import { actionsBeyond } from "./roles.ts";
import { shippedTerms } from "./shipped-terms.ts";

/** A directory in memory: what the pure steps write is there for the next. */
class MemoryDirectory implements DirectoryView {
  readonly tenants = new Map<string, DirectoryTenant>();
  readonly deleted = new Set<string>();
  readonly every = {
    projects: new Map<string, DirectoryProject>(),
    members: new Map<string, DirectoryMember>(),
    keys: new Map<string, DirectoryKey>(),
    admins: new Map<string, DirectoryAdmin>(),
  };
  readonly audit: DirectoryAudit[] = [];
  known: Terms = shippedTerms;

  tenant = (name: string) => this.tenants.get(name);
  wasDeleted = (name: string) => this.deleted.has(name);
  project = (tenant: string, project: string) => this.every.projects.get(`${tenant}/${project}`);
  member = (tenant: string, user: string) => this.every.members.get(`${tenant}/${user}`);
  members = (tenant: string) => [...this.every.members.values()].filter((one) => one.tenant === tenant);
  key = (id: string) => this.every.keys.get(id);
  keysOf = (tenant: string, of: { readonly user?: string; readonly project?: string } = {}) =>
    [...this.every.keys.values()].filter(
      (key) =>
        key.tenant === tenant &&
        key.revokedAtMs === undefined &&
        (of.user === undefined || key.user === of.user) &&
        (of.project === undefined || key.project === of.project),
    );
  tenantOn = (plan: string) => [...this.tenants.values()].find(({ settings }) => settings.plan === plan)?.tenant;
  keyOn = (tier: string) => [...this.every.keys.values()].find((key) => key.tier === tier && !key.revokedAtMs)?.id;
  admin = (name: string) => this.every.admins.get(name);
  terms = () => this.known;

  /** Makes the change; the code of the fault when it is refused. */
  make(change: DirectoryChange, nowMs = 1_000): ErrorCode | undefined {
    const step = directoryStep(this, change, nowMs);
    if (!step.ok) return step.fault.code;
    for (const write of step.value.writes) this.#write(write);
    this.audit.push(...step.value.audit);
    return undefined;
  }

  #write(write: DirectoryWrite): void {
    if (write.entry === "terms") this.known = write.is;
    if (write.entry === "key") this.every.keys.set(write.is.id, write.is);
    if (write.entry === "admin") this.every.admins.set(write.is.name, write.is);
    if (write.entry === "project") put(this.every.projects, `${write.tenant}/${write.project}`, write.is);
    if (write.entry === "member") put(this.every.members, `${write.tenant}/${write.user}`, write.is);
    if (write.entry !== "tenant") return;
    put(this.tenants, write.tenant, write.is);
    if (write.is !== null) this.deleted.delete(write.tenant);
    else {
      this.deleted.add(write.tenant);
      for (const own of [this.every.projects, this.every.members, this.every.keys] as Map<string, { tenant: string }>[])
        for (const [name, { tenant }] of own) if (tenant === write.tenant) own.delete(name);
    }
  }
}

function put<T>(map: Map<string, T>, name: string, is: T | null): void {
  if (is === null) map.delete(name);
  else map.set(name, is);
}

let directory: MemoryDirectory;
beforeEach(() => {
  directory = new MemoryDirectory();
});

const secretHash = (id: string) => `${id}${"s".repeat(40)}`;
const idOf = (n: number) => String(n).padStart(24, "0");
const all = [{ actions: ["infer", "chat", "admin-read", "admin-write"], models: ["*"] }] as KeyRecord["scopes"];
const keyOf = (n: number, more: Partial<KeyRecord> = {}): KeyRecord => ({
  id: idOf(n),
  hash: secretHash(idOf(n)),
  tenant: "acme",
  name: "test",
  scopes: [{ actions: ["infer", "chat"], models: ["*"] }],
  createdAtMs: 0,
  ...more,
});
const issue = (n: number, more: Partial<KeyRecord> = {}, registers = true) =>
  directory.make({ kind: "issue-key", key: keyOf(n, more), registers });

describe("a change that asks for what is so already", () => {
  test.each([
    ["a tenant's settings", { kind: "change-tenant", tenant: "acme", patch: { weight: 2 } }],
    ["its state", { kind: "suspend-tenant", tenant: "acme" }],
    ["no webhook", { kind: "set-webhook", tenant: "acme", url: null }],
    ["a project", { kind: "set-project", tenant: "acme", project: "web", description: "x" }],
    ["a role", { kind: "set-member", tenant: "acme", user: "ann", role: "owner" }],
    ["a key's end", { kind: "revoke-key", id: idOf(1) }],
    ["a key's name", { kind: "change-key", id: idOf(2), patch: { name: "test" } }],
    ["a plan", { kind: "set-plan", plan: "internal", is: { tier: "standard" } }],
    ["prices", { kind: "set-prices", currency: "USD", price: {} }],
    ["a credential's end", { kind: "revoke-admin", name: "ci" }],
  ] as readonly (readonly [string, DirectoryChange])[])("is in no audit: %s", (_what, change) => {
    const before = () => {
      issue(1);
      issue(2);
      const admin = { name: "ci", hash: "h", scopes: [], createdAtMs: 0 };
      directory.make({ kind: "create-admin", admin });
      if (change.kind !== "set-webhook") directory.make(change);
    };
    before();
    const rows = directory.audit.length;
    expect(directory.make(change)).toBeUndefined();
    expect(directory.audit).toHaveLength(rows);
  });
});

describe("a key", () => {
  test("makes its tenant when it may, and needs it otherwise, as after a deletion", () => {
    expect(issue(1, {}, false)).toBe("tenant_not_found");
    expect(issue(1)).toBeUndefined();
    expect(directory.audit.map(({ kind }) => kind)).toEqual(["create-tenant", "issue-key"]);
    directory.make({ kind: "delete-tenant", tenant: "acme" });
    expect(directory.every.keys.size).toBe(0);
    expect(issue(2)).toBe("tenant_not_found");
  });

  test("that is rotated ends with the overlap, or at its own end when that is sooner, and keeps what it may", () => {
    issue(1, { expiresAtMs: 5_000, tier: "high", scopes: all });
    const made = { id: idOf(2), hash: secretHash(idOf(2)) };
    expect(directory.make({ kind: "rotate-key", id: idOf(1), made, overlapMs: 60_000 })).toBeUndefined();
    expect(directory.key(idOf(1))).toMatchObject({ expiresAtMs: 5_000, rotatedTo: idOf(2) });
    expect(directory.key(idOf(2))).toMatchObject({
      tier: "high",
      scopes: all,
      createdAtMs: 1_000,
      rotatedFrom: idOf(1),
    });
    const again = { id: idOf(3), hash: secretHash(idOf(3)) };
    expect(directory.make({ kind: "rotate-key", id: idOf(1), made: again, overlapMs: 0 })).toBe("directory_conflict");
    directory.make({ kind: "revoke-key", id: idOf(2) });
    expect(directory.make({ kind: "rotate-key", id: idOf(1), made: again, overlapMs: 0 })).toBeUndefined();
    expect(directory.key(idOf(1))?.revokedAtMs).toBe(1_000);
    expect(directory.make({ kind: "rotate-key", id: idOf(3), made, overlapMs: 0 }, 5_000)).toBe("directory_conflict");
  });

  test("of another tenant is not there for a tenant's own key", () => {
    issue(1, { tenant: "other" });
    const by = { tenant: "acme", scopes: all };
    const made = { id: idOf(2), hash: "h" };
    for (const id of [idOf(1), idOf(9)]) {
      expect(directory.make({ kind: "revoke-key", id, by })).toBe("key_not_found");
      expect(directory.make({ kind: "rotate-key", id, made, overlapMs: 0, by })).toBe("key_not_found");
    }
  });

  test("whose end has passed keeps it when something else changes, and takes none that has passed", () => {
    issue(1, { expiresAtMs: 2_000 });
    expect(directory.make({ kind: "change-key", id: idOf(1), patch: { name: "x" } }, 3_000)).toBeUndefined();
    expect(directory.make({ kind: "change-key", id: idOf(1), patch: {}, expiresAtMs: 2_500 }, 3_000)).toBe(
      "invalid_request",
    );
    expect(directory.make({ kind: "change-key", id: idOf(1), patch: {}, expiresAtMs: null }, 3_000)).toBeUndefined();
    expect(directory.key(idOf(1))).not.toHaveProperty("expiresAtMs");
  });
});

test("a deleted tenant is refused where gateways read of it, and every setting of another is there", () => {
  expect(deletedTenantRecord("acme").state).toBe("suspended");
  const settings = { plan: "pro", guard: { mode: "block" as const }, weight: 3 };
  const tenant = { tenant: "acme", state: "active" as const, settings, createdAtMs: 0 };
  expect(tenantRecordOf(tenant)).toMatchObject({ plan: "pro", weight: 3, guard: { mode: "block", threshold: 0.5 } });
});

const tenants = fc.constantFrom("acme", "other");
const users = fc.constantFrom("ann", "bob");
const ids = fc.integer({ min: 1, max: 6 }).map(idOf);
const scopes = fc
  .uniqueArray(fc.constantFrom("infer", "chat", "admin-read", "admin-write"), { minLength: 1 })
  .map((actions) => [{ actions, models: ["*"] }] as KeyRecord["scopes"]);
const changes: fc.Arbitrary<DirectoryChange> = fc.oneof(
  fc.record({
    kind: fc.constant("issue-key" as const),
    key: fc
      .record({ id: ids, tenant: tenants, user: fc.option(users, { nil: undefined }), scopes })
      .map(({ id, user, ...more }) => keyOf(Number(id), user === undefined ? more : { ...more, user })),
    registers: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("set-member" as const),
    tenant: tenants,
    user: users,
    role: fc.option(fc.constantFrom(...roles)),
  }),
  fc.record({ kind: fc.constant("change-key" as const), id: ids, patch: scopes.map((given) => ({ scopes: given })) }),
  fc.record({
    kind: fc.constant("rotate-key" as const),
    id: ids,
    made: fc.integer({ min: 7, max: 99 }).map((n) => ({ id: idOf(n), hash: secretHash(idOf(n)) })),
    overlapMs: fc.constantFrom(0, 500),
  }),
  fc.record({ kind: fc.constant("revoke-key" as const), id: ids }),
  fc.record({ kind: fc.constant("delete-tenant" as const), tenant: tenants }),
  fc.record({ kind: fc.constant("create-tenant" as const), tenant: tenants, settings: fc.constant({}) }),
);

test("whatever is changed in whatever order: no key may do what its member's role does not allow, each has its tenant, and no hash is in the audit", () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 40 }), (made) => {
      const at = new MemoryDirectory();
      for (const [i, change] of made.entries()) at.make(change, i * 100);
      for (const key of at.every.keys.values()) {
        expect(at.tenant(key.tenant), "its tenant").toBeDefined();
        if (key.user === undefined || key.revokedAtMs !== undefined) continue;
        const member = at.member(key.tenant, key.user);
        expect(member, "its member").toBeDefined();
        expect(member && actionsBeyond(member.role, key.scopes)).toEqual([]);
      }
      expect(JSON.stringify(at.audit)).not.toContain("ssss");
    }),
    { numRuns: 300 },
  );
});
