import { createHash } from "node:crypto";
import { type DirectoryChange, type DirectoryKey, ok, scopesDefault } from "@ledge/contract";
import { shippedTerms } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import { type KeyDesk, listKeys, revokeKey, showKey } from "./keys.ts";
import type { DirectoryDone } from "./ports.ts";
import { deleteTenant, type TenantDesk } from "./tenants.ts";

/** What the desk for keys does around the directory: ending what isolates hold, and saying when a key was used. */

const id = "a".repeat(24);
const key: DirectoryKey = {
  id,
  hash: "b".repeat(64),
  tenant: "acme",
  name: "web",
  scopes: [...scopesDefault],
  createdAtMs: 0,
};

let done: DirectoryDone;
let closed: string[];
let closerDown: boolean;
let uses: Readonly<Record<string, number>> | undefined;
let desk: KeyDesk;

beforeEach(() => {
  done = { changed: true, published: true, ended: [id] };
  closed = [];
  closerDown = false;
  uses = {};
  const directory = {
    change: async (_change: DirectoryChange) => ok(done),
    tenant: async () => undefined,
    key: async () => key,
    keys: async () => [key],
    terms: async () => shippedTerms,
  };
  desk = {
    directory,
    closer: {
      close: async (subject) => {
        if (closerDown) throw new Error("down");
        closed.push(subject);
      },
    },
    use: {
      lastUsed: async () => {
        if (uses === undefined) throw new Error("down");
        return uses;
      },
    },
    keyedHash: (text) => createHash("sha256").update(text).digest("hex"),
    requestsPerMinuteDefault: 600,
    random: (bytes) => new Uint8Array(bytes),
    nowMs: () => 1_000,
    who: "operator",
    registers: true,
  };
});

describe("a key that is revoked", () => {
  test("is closed for every isolate that holds something of it", async () => {
    expect(await revokeKey(id, desk)).toEqual(ok({ value: { revoked: id }, published: true }));
    expect(closed).toEqual([`key:${id}`]);
  });

  test("and cannot be closed is said to be ending, and again closes it", async () => {
    closerDown = true;
    expect(await revokeKey(id, desk)).toMatchObject({ ok: true, value: { published: false } });
    closerDown = false;
    done = { changed: false, published: true, ended: [] };
    expect(await revokeKey(id, desk)).toMatchObject({ ok: true, value: { published: true } });
    expect(closed).toEqual([`key:${id}`]);
  });

  test("is closed with its tenant too", async () => {
    const tenants = { ...desk, directory: desk.directory as unknown as TenantDesk["directory"] };
    expect(await deleteTenant("acme", tenants)).toEqual(ok({ value: { deleted: "acme", keys: 1 }, published: true }));
    expect(closed).toEqual([`key:${id}`]);
  });
});

describe("when a key was used last", () => {
  test("is told as far as it is known", async () => {
    uses = { [id]: 3_600_000 };
    expect(await showKey(id, desk)).toMatchObject({ ok: true, value: { last_used_at: "1970-01-01T01:00:00.000Z" } });
    uses = {};
    const listed = await listKeys(new URLSearchParams(), desk);
    expect(listed.ok && listed.value.keys[0]).not.toHaveProperty("last_used_at");
  });

  test("is left out when whoever knows cannot be reached: the key is told of all the same", async () => {
    uses = undefined;
    const shown = await showKey(id, desk);
    expect(shown).toMatchObject({ ok: true, value: { id, state: "active" } });
    expect(shown.ok && shown.value).not.toHaveProperty("last_used_at");
  });
});

test("a directory that is out of reach is said to be, and nothing is closed", async () => {
  const directory = { ...desk.directory, change: () => Promise.reject(new Error("down")) };
  expect(await revokeKey(id, { ...desk, directory })).toMatchObject({ fault: { code: "directory_unavailable" } });
  expect(closed).toEqual([]);
});
