import {
  type DirectoryKey,
  fail,
  type KeyAnswer,
  type KeyHolder,
  type KeyRecord,
  type KeysAnswer,
  keyEnd,
  keyListQuery,
  mergePatchRequest,
  type NewKeyAnswer,
  type NewKeyRequest,
  newCertificateRequest,
  newKeyRequest,
  newOwnKeyRequest,
  ok,
  parse,
  type Result,
  rotateKeyRequest,
  scopesDefault,
} from "@ledge/contract";
import { isKeyId, keyId, mintKey, standingOf, tenantRecordOf, unregistered } from "@ledge/policy";
import { ask, changeDirectory, closeKeys, type DirectoryDesk, type Made, nextOf, timeText } from "./directory.ts";
import type { DirectoryWriter, KeyReader, KeyUse, TenantReader, TermsReader } from "./ports.ts";

export interface KeyDesk extends DirectoryDesk {
  readonly directory: DirectoryWriter & KeyReader & TermsReader & Pick<TenantReader, "tenant">;
  readonly use: KeyUse;
  /** Under the deployment's pepper. */
  readonly keyedHash: (key: string) => string;
  readonly requestsPerMinuteDefault: number;
  readonly random: (bytes: number) => Uint8Array;
  readonly nowMs: () => number;
  /** Whether a tenant that nobody made yet is made with its first key. */
  readonly registers: boolean;
  /** The key that asks, when it is a tenant's and not an operator: then no other tenant is there. */
  readonly by?: KeyHolder;
}

const dayS = 86_400;

/**
 * Issues a key. The answer is the only place where it is ever shown. Errors: `invalid_request`, `tenant_not_found`,
 * `project_not_found`, `member_not_found`, `terms_not_found`, `scope_denied`, `directory_unavailable`.
 */
export async function issueKey(body: unknown, desk: KeyDesk): Promise<Result<Made<NewKeyAnswer>>> {
  const asked = readRequest(body, desk);
  if (!asked.ok) return asked;
  const fields = fieldsOf(asked.value, desk.nowMs());
  if (!fields.ok) return fields;
  const { key, stored } = mintKey(desk.random(32), fields.value, desk.keyedHash);
  const by = desk.by === undefined ? {} : { by: desk.by };
  const done = await changeDirectory({ kind: "issue-key", key: stored, registers: desk.registers, ...by }, desk);
  if (!done.ok) return done;
  return ok({ value: await shownOnce(key, stored, desk), published: done.value.published });
}

/**
 * Makes a client certificate a credential: a key whose hash is the certificate's, and which nobody has to keep secret. Errors:
 * those of {@link issueKey}; `directory_conflict` when it is one already.
 */
export async function registerCertificate(body: unknown, desk: KeyDesk): Promise<Result<Made<KeyAnswer>>> {
  const asked = parse(newCertificateRequest, body);
  if (!asked.ok) return asked;
  const { sha256, ...request } = asked.value;
  const fields = fieldsOf(request, desk.nowMs());
  if (!fields.ok) return fields;
  const key: DirectoryKey = { id: keyId(sha256), hash: sha256, ...fields.value };
  const done = await changeDirectory({ kind: "issue-key", key, registers: desk.registers }, desk);
  return done.ok ? ok({ value: answerOf(key, desk.nowMs()), published: done.value.published }) : done;
}

function readRequest(body: unknown, { by }: KeyDesk): Result<NewKeyRequest> {
  if (by === undefined) return parse(newKeyRequest, body);
  const own = parse(newOwnKeyRequest, body);
  return own.ok ? ok({ ...own.value, tenant: by.tenant }) : own;
}

function fieldsOf(request: NewKeyRequest, nowMs: number): Result<Omit<KeyRecord, "id" | "hash">> {
  const { requests_per_minute: perMinute, expires_at: end, limits, scopes = [...scopesDefault], ...rest } = request;
  if (perMinute !== undefined && limits?.requests_per_minute !== undefined) {
    const message = "say it here or in limits, not in both";
    return fail("invalid_request", { issues: [{ path: "requests_per_minute", message }] });
  }
  const limited = perMinute === undefined ? limits : { ...limits, requests_per_minute: perMinute };
  return ok({
    ...rest,
    scopes,
    createdAtMs: nowMs,
    ...(limited === undefined ? {} : { limits: limited }),
    ...(end === undefined ? {} : { expiresAtMs: Date.parse(end) }),
  });
}

/** The answer with the key in it, and the rate that it will have as far as that can be told. */
async function shownOnce(key: string, stored: DirectoryKey, desk: KeyDesk): Promise<NewKeyAnswer> {
  const { directory, requestsPerMinuteDefault } = desk;
  const known = await ask(() => Promise.all([directory.tenant(stored.tenant), directory.terms()]));
  const answer = { ...answerOf(stored, desk.nowMs()), key };
  if (!known.ok) return answer;
  const [tenant, terms] = known.value;
  const record = tenant === undefined ? unregistered(stored.tenant) : tenantRecordOf(tenant);
  const standing = standingOf(stored, record, terms, { requests_per_minute: requestsPerMinuteDefault });
  const rate = standing.limits.key.requests_per_minute;
  return rate === undefined ? answer : { ...answer, requests_per_minute: rate };
}

/** Errors: `invalid_request`, `directory_unavailable`. */
export async function listKeys(query: URLSearchParams, desk: KeyDesk): Promise<Result<KeysAnswer>> {
  const asked = parse(keyListQuery, Object.fromEntries(query));
  if (!asked.ok) return asked;
  const { limit = "100", revoked, tenant, ...rest } = asked.value;
  const of = desk.by?.tenant ?? tenant;
  const page = { limit: Number(limit) };
  const filter = { ...rest, ...page, revoked: revoked !== undefined, ...(of === undefined ? {} : { tenant: of }) };
  const keys = await ask(() => desk.directory.keys(filter as Parameters<KeyReader["keys"]>[0]));
  if (!keys.ok) return keys;
  const ids = keys.value.map(({ id }) => id);
  return ok({ keys: await answersOf(keys.value, desk), ...nextOf(page, ids) });
}

/** Errors: `key_not_found`, `directory_unavailable`. */
export async function showKey(id: string, desk: KeyDesk): Promise<Result<KeyAnswer>> {
  const key = await keyOf(id, desk);
  if (!key.ok) return key;
  const [answer] = await answersOf([key.value], desk);
  return answer === undefined ? fail("key_not_found") : ok(answer);
}

/** Another tenant's key is as absent as one that nobody has. */
async function keyOf(id: string, { directory, by }: KeyDesk): Promise<Result<DirectoryKey>> {
  if (!isKeyId(id)) return fail("key_not_found");
  const key = await ask(() => directory.key(id));
  if (!key.ok) return key;
  const there = key.value !== undefined && (by === undefined || by.tenant === key.value.tenant);
  return there ? ok(key.value) : fail("key_not_found");
}

/** Errors: `invalid_request`, `key_not_found`, `terms_not_found`, `scope_denied`, `directory_conflict`, `directory_unavailable`. */
export async function changeKey(id: string, body: unknown, desk: KeyDesk): Promise<Result<Made<KeyAnswer>>> {
  const patch = parse(mergePatchRequest, body);
  if (!patch.ok) return patch;
  const end = parse(keyEnd, body);
  if (!end.ok) return end;
  const { expires_at: _, ...settings } = patch.value;
  const { expires_at: at } = end.value;
  const expiresAtMs = at === undefined ? {} : { expiresAtMs: at === null ? null : Date.parse(at) };
  const done = await changeDirectory({ kind: "change-key", id, patch: settings, ...expiresAtMs }, desk);
  if (!done.ok) return done;
  const key = await showKey(id, desk);
  return key.ok ? ok({ value: key.value, published: done.value.published }) : key;
}

/**
 * A new key as the old one was, which goes on beside it for the overlap. The answer is the only place where the new one is
 * ever shown. Errors: `invalid_request`, `key_not_found`, `scope_denied`, `directory_conflict`, `directory_unavailable`.
 */
export async function rotateKey(id: string, body: unknown, desk: KeyDesk): Promise<Result<Made<NewKeyAnswer>>> {
  const request = parse(rotateKeyRequest, body);
  if (!request.ok) return request;
  const before = await keyOf(id, desk);
  if (!before.ok) return before;
  const { id: _, hash: __, ...fields } = before.value;
  const { key, stored } = mintKey(desk.random(32), fields, desk.keyedHash);
  const by = desk.by === undefined ? {} : { by: desk.by };
  const made = { id: stored.id, hash: stored.hash };
  const overlapMs = (request.value.overlap_s ?? dayS) * 1_000;
  const done = await changeDirectory({ kind: "rotate-key", id, made, overlapMs, ...by }, desk);
  if (!done.ok) return done;
  const after = await keyOf(made.id, desk);
  if (!after.ok) return after;
  return ok({ value: await shownOnce(key, after.value, desk), published: done.value.published });
}

/**
 * Revokes a key: refused everywhere within seconds. Again is the same as once, and ends what isolates may still hold of it.
 * Errors: `key_not_found`, `directory_unavailable`.
 */
export async function revokeKey(id: string, desk: KeyDesk): Promise<Result<Made<{ readonly revoked: string }>>> {
  const by = desk.by === undefined ? {} : { by: desk.by };
  const done = await changeDirectory({ kind: "revoke-key", id, ...by }, desk);
  if (!done.ok) return done;
  const closed = done.value.changed || (await closeKeys([id], desk.closer));
  return ok({ value: { revoked: id }, published: done.value.published && closed });
}

/** When keys were used last is told where it is known: not knowing is no failure. */
async function answersOf(keys: readonly DirectoryKey[], { use, nowMs }: KeyDesk): Promise<KeyAnswer[]> {
  const tenants = [...new Set(keys.map(({ tenant }) => tenant))];
  const idsOf = (tenant: string) => keys.filter((key) => key.tenant === tenant).map(({ id }) => id);
  const uses = await Promise.allSettled(tenants.map((tenant) => use.lastUsed(tenant, idsOf(tenant))));
  const last = new Map(uses.flatMap((one) => (one.status === "fulfilled" ? Object.entries(one.value) : [])));
  return keys.map((key) => answerOf(key, nowMs(), last.get(key.id)));
}

function answerOf(key: DirectoryKey, nowMs: number, lastUsedMs?: number): KeyAnswer {
  const { hash: _, createdAtMs, expiresAtMs, revokedAtMs, rotatedFrom, rotatedTo, ...facts } = key;
  const isOver = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  return {
    ...facts,
    state: revokedAtMs !== undefined ? "revoked" : isOver ? "expired" : "active",
    created_at: timeText(createdAtMs),
    ...(expiresAtMs === undefined ? {} : { expires_at: timeText(expiresAtMs) }),
    ...(revokedAtMs === undefined ? {} : { revoked_at: timeText(revokedAtMs) }),
    ...(rotatedFrom === undefined ? {} : { rotated_from: rotatedFrom }),
    ...(rotatedTo === undefined ? {} : { rotated_to: rotatedTo }),
    ...(lastUsedMs === undefined ? {} : { last_used_at: timeText(lastUsedMs) }),
  };
}
