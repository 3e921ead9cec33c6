import { fail, type NewKeyAnswer, newKeyRequest, ok, parse, type Result, scopesDefault } from "@ledge/contract";
import { isKeyId, mintKey } from "@ledge/policy";
import type { Digests, KeyStore } from "../ports.ts";
import type { SubjectCloser } from "./ports.ts";

export interface KeyDesk {
  readonly keys: KeyStore;
  readonly subjects: SubjectCloser;
  readonly digests: Digests;
  /** Under the deployment's pepper. */
  readonly keyedHash: (key: string) => string;
  readonly requestsPerMinuteDefault: number;
  readonly random: (bytes: number) => Uint8Array;
  readonly nowMs: () => number;
}

/** Issues a key. The answer is the only place where it is ever shown. Errors: `invalid_request`. */
export async function issueKey(body: unknown, desk: KeyDesk): Promise<Result<NewKeyAnswer>> {
  const request = parse(newKeyRequest, body);
  if (!request.ok) return request;
  const { tenant, name, requests_per_minute: requestsPerMinute = desk.requestsPerMinuteDefault } = request.value;
  const limits = { requests_per_minute: requestsPerMinute };
  const fields = { tenant, name, limits, scopes: [...scopesDefault], createdAtMs: desk.nowMs() };
  const { key, stored } = mintKey(desk.random(32), fields, desk.keyedHash);
  await desk.keys.put(stored);
  return ok({ id: stored.id, key, tenant, name, requests_per_minute: requestsPerMinute });
}

/** Revokes a key: refused everywhere within the time isolates remember it. Errors: `key_not_found`. */
export async function revokeKey(id: string, desk: KeyDesk): Promise<Result<{ readonly id: string }>> {
  if (!isKeyId(id) || (await desk.keys.get(id)) === undefined) return fail("key_not_found");
  await desk.keys.delete(id);
  // KV may go on showing the key to isolates that have never met it, for up to a minute.
  await desk.subjects.close(`key:${id}`);
  return ok({ id });
}
