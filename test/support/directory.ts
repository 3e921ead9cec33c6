import type { KeyAnswer, KeyRecord, NewAdminAnswer, NewKeyAnswer, TenantRecord, Terms } from "@ledge/contract";
import { operate } from "../../scripts/local/packages.ts";
import type { TestEdge } from "./ledge.ts";
import { admin } from "./registry.ts";

/** A call of the operator's API by one of its credentials: its status and body. */
export async function adminAs(edge: TestEdge, key: string, method: string, path: string, body?: unknown) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await operate({ edge: edge.url, adminKey: key }, method, path, text);
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

/** As the operator, for what must be done: the answer's body. Throws for any failure. */
export async function done<T>(edge: TestEdge, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await admin(edge, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as T;
}

export function newKey(edge: TestEdge, fields: Readonly<Record<string, unknown>>): Promise<NewKeyAnswer> {
  return done(edge, "POST", "/keys", { tenant: "acme", name: "test", ...fields });
}

export function newAdmin(edge: TestEdge, name: string, scopes: readonly string[]): Promise<NewAdminAnswer> {
  return done(edge, "POST", "/admins", { name, scopes });
}

export function keyNamed(edge: TestEdge, id: string): Promise<KeyAnswer> {
  return done(edge, "GET", `/keys/${id}`);
}

/** What gateways read. `null` when nothing is there. */
export async function publishedBy(edge: TestEdge) {
  const kv = await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");
  const read = async (key: string) => JSON.parse(String(await kv.get(key)));
  return {
    key: (id: string): Promise<KeyRecord | null> => read(`key:${id}`),
    tenant: (name: string): Promise<TenantRecord | null> => read(`tenant:${name}`),
    terms: (): Promise<Terms | null> => read("terms:current"),
  };
}
