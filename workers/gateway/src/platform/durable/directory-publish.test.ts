import type { DirectoryKey, DirectoryTenant } from "@ledge/contract";
import { shippedTerms } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import { sqlite } from "../../../../../test/support/sqlite.ts";
import { publishDirectory } from "./directory-publish.ts";
import { DirectoryStore } from "./directory-store.ts";

/** A KV namespace that refuses what `refuses` says, and lets something happen while it writes. */
class MemoryKv {
  readonly values = new Map<string, string>();
  refuses = (_key: string) => false;
  meanwhile: (key: string) => void = () => undefined;

  async put(key: string, value: string) {
    this.#write(key);
    this.values.set(key, value);
  }
  async delete(key: string) {
    this.#write(key);
    this.values.delete(key);
  }
  #write(key: string) {
    this.meanwhile(key);
    if (this.refuses(key)) throw new Error("down");
  }
}

const id = "0".repeat(24);
const key: DirectoryKey = {
  id,
  hash: "1".repeat(64),
  tenant: "acme",
  name: "web",
  scopes: [{ actions: ["infer"], models: ["*"] }],
  createdAtMs: 1,
};
const tenant: DirectoryTenant = { tenant: "acme", state: "active", settings: {}, createdAtMs: 1 };

let sql: ReturnType<typeof sqlite>["sql"];
let store: DirectoryStore;
let kv: MemoryKv;

beforeEach(() => {
  ({ sql } = sqlite());
  store = new DirectoryStore(sql);
  kv = new MemoryKv();
});

const read = (name: string) => JSON.parse(kv.values.get(name) ?? "null");

describe("publishing", () => {
  test("writes what changed where gateways read it, and nothing twice", async () => {
    store.write({ entry: "tenant", tenant: "acme", is: tenant });
    store.write({ entry: "key", is: { ...key, rotatedFrom: "2".repeat(24) } });
    await publishDirectory(kv, store);
    expect(read(`key:${id}`)).toEqual(key);
    expect(read("tenant:acme")).toMatchObject({ tenant: "acme", plan: "internal" });
    expect(read("terms:current")).toEqual(shippedTerms);
    kv.refuses = () => true;
    await publishDirectory(kv, store);
  });

  test("deletes a revoked key, and the keys of a deleted tenant, whose name is then refused", async () => {
    const other = { ...key, id: "3".repeat(24) };
    for (const is of [key, other]) store.write({ entry: "key", is });
    store.write({ entry: "tenant", tenant: "acme", is: tenant });
    await publishDirectory(kv, store);
    store.write({ entry: "key", is: { ...key, revokedAtMs: 2 } });
    await publishDirectory(kv, store);
    expect(kv.values.has(`key:${id}`)).toBe(false);
    store.write({ entry: "tenant", tenant: "acme", is: null });
    await publishDirectory(kv, store);
    expect([...kv.values.keys()].toSorted()).toEqual(["tenant:acme", "terms:current"]);
    expect(read("tenant:acme").state).toBe("suspended");
  });

  test("of what KV does not take is left to the next time, and holds up nothing else", async () => {
    store.write({ entry: "key", is: key });
    kv.refuses = (name) => name.startsWith("key:");
    await expect(publishDirectory(kv, store)).rejects.toThrow("down");
    expect([...kv.values.keys()]).toEqual(["terms:current"]);
    expect(store.isUnpublished(`key:${id}`)).toBe(true);
    kv.refuses = () => false;
    await publishDirectory(kv, store);
    expect(read(`key:${id}`)).toEqual(key);
    expect(store.unpublished(9)).toEqual([]);
  });

  test("of a key that changes while it is written is done again", async () => {
    store.write({ entry: "key", is: key });
    kv.meanwhile = (name) => {
      if (name.startsWith("key:")) store.write({ entry: "key", is: { ...key, revokedAtMs: 2 } });
    };
    await publishDirectory(kv, store);
    expect(store.isUnpublished(`key:${id}`)).toBe(true);
    kv.meanwhile = () => undefined;
    await publishDirectory(kv, store);
    expect(kv.values.has(`key:${id}`)).toBe(false);
  });
});

describe("a store that is opened again", () => {
  test("has every entry as it was, what is not published too, and no terms but those that were set", () => {
    const admin = { name: "ci", hash: "h", scopes: ["keys:read" as const], createdAtMs: 1 };
    const project = { tenant: "acme", project: "web", createdAtMs: 1 };
    const member = { tenant: "acme", user: "ann", role: "owner" as const };
    const terms = { ...shippedTerms, number: 7 };
    store.write({ entry: "tenant", tenant: "acme", is: { ...tenant, settings: { plan: "pro" } } });
    store.write({ entry: "project", tenant: "acme", project: "web", is: project });
    store.write({ entry: "member", tenant: "acme", user: "ann", is: member });
    store.write({ entry: "key", is: { ...key, tier: "high" } });
    store.write({ entry: "admin", is: admin });
    store.write({ entry: "terms", is: terms });
    const again = new DirectoryStore(sql);
    expect(again.tenant("acme")?.settings).toEqual({ plan: "pro" });
    expect([again.tenantOn("pro"), again.keyOn("high")]).toEqual(["acme", id]);
    expect([again.projects("acme"), again.members("acme")]).toEqual([[project], [member]]);
    expect(again.key(id)).toEqual({ ...key, tier: "high" });
    expect([again.adminByHash("h"), again.admin("ci"), again.admins()]).toEqual([admin, admin, [admin]]);
    expect(again.terms()).toEqual(terms);
    expect(again.counts("acme")).toEqual({ projects: 1, members: 1, keys: 1 });
    expect(again.unpublished(9).toSorted()).toEqual([`key:${id}`, "tenant:acme", "terms:current"]);
  });
});
