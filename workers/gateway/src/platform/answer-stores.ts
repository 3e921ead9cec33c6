import type { Keyring } from "@ledge/contract";
import type { Keyrings, RulesStore, SealedBytes } from "../cache/ports.ts";

/** Where the answer cache keeps what it keeps. Keys and lifetimes are listed in docs/storage-schema.md. */

/** KV forgets nothing sooner, seconds. */
const expirationTtlMin = 60;
/** The shortest time for which KV lets a location keep what it read, seconds. */
const cacheTtl = 30;

export function kvSealedBytes(answers: KVNamespace): SealedBytes {
  return {
    async get(slot) {
      const bytes = await answers.get(slot, { type: "arrayBuffer", cacheTtl });
      return bytes === null ? undefined : new Uint8Array(bytes);
    },
    async put(slot, bytes, { keepS, freshUntilMs }) {
      const expirationTtl = Math.max(expirationTtlMin, Math.ceil(keepS));
      await answers.put(slot, bytes, { expirationTtl, metadata: { freshUntilMs } });
    },
  };
}

export function kvRules(snapshots: KVNamespace): RulesStore {
  return {
    async current() {
      return (await snapshots.get("cache:current", { type: "json", cacheTtl })) ?? undefined;
    },
  };
}

/** Until the keeper of the rules makes them: the first isolate that misses a keyring makes it. */
export function storedKeyrings(snapshots: KVNamespace): Keyrings {
  const salt = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
  return {
    published: (tenant) => snapshots.get(`cache:keys:${tenant}`, { type: "json" }),
    async made(tenant, atLeast) {
      const sealing = [{ id: 1, salt: salt(), createdAtMs: Date.now() }];
      const ring: Keyring = { number: atLeast, naming: salt(), sealing };
      await snapshots.put(`cache:keys:${tenant}`, JSON.stringify(ring));
      return ring;
    },
  };
}
