import { createHmac } from "node:crypto";
import { type KeyRecord, scopesDefault } from "@ledge/contract";
import { mintKey } from "@ledge/policy";
import { keyPepper, type TestEdge } from "./ledge.ts";

const keyedHash = (text: string) => createHmac("sha256", keyPepper).update(text).digest("hex");

/** A key in the edge's store as the operator would have put it there. Answers with the key and its id. */
export async function storeKey(edge: TestEdge, fields: Partial<KeyRecord> = {}): Promise<{ id: string; key: string }> {
  const all = { tenant: "acme", name: "test", scopes: [...scopesDefault], createdAtMs: Date.now() };
  const limits = { requests_per_minute: 1_000_000 };
  const record = { ...all, limits, ...fields };
  const { key, stored } = mintKey(crypto.getRandomValues(new Uint8Array(32)), record, keyedHash);
  const keys = await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");
  await keys.put(`key:${stored.id}`, JSON.stringify(stored));
  return { id: stored.id, key };
}
