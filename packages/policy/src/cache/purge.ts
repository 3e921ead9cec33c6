import { type CacheState, cacheStaleSMax, cacheTtlSMax, type Purged, type PurgeRequest } from "@ledge/contract";

/** Purges by number: what was kept before one of its scopes was purged is not found again, and nothing is listed. */

type Purges = CacheState["purges"];

/** What an answer belongs to, as purges name it. */
export interface PurgeSubject {
  readonly tenant: string;
  readonly model: string;
  readonly version: string;
  /** 32 hex digits. */
  readonly id?: string;
  readonly tags?: readonly string[];
}

/** Purges remembered; with more, those of tags and entries become coarser ones. */
export const purgesMax = 10_000;

/**
 * How long a purge must be remembered, milliseconds: as long as an answer may be kept, and a day for what was still in
 * flight, kept by a gateway that had not heard of it, or dated by another clock.
 */
export const purgeKeptMs = (cacheTtlSMax + cacheStaleSMax + 86_400) * 1000;

/** The scope that a request purges. */
export function purgeScope(purge: PurgeRequest): string {
  if ("all" in purge) return "all";
  if ("model" in purge) {
    return purge.version === undefined ? `model:${purge.model}` : `version:${purge.model}@${purge.version}`;
  }
  if ("tag" in purge) return `tag:${part(purge.tenant)}:${purge.tag}`;
  if ("key" in purge) return `key:${part(purge.tenant)}:${purge.key}`;
  return `tenant:${part(purge.tenant)}`;
}

/** Every scope that an answer is in. */
export function scopesOf({ tenant, model, version, id, tags = [] }: PurgeSubject): readonly string[] {
  return [
    "all",
    purgeScope({ tenant }),
    purgeScope({ model }),
    purgeScope({ model, version }),
    ...tags.map((tag) => purgeScope({ tenant, tag })),
    ...(id === undefined ? [] : [purgeScope({ tenant, key: id })]),
  ];
}

/** Colons of a token's tenant must not end its name: one tenant's scopes would be another's. */
function part(tenant: string): string {
  return tenant.replaceAll("%", "%25").replaceAll(":", "%3A");
}

/** The number of the latest purge of any of these scopes; 0 when none is remembered. */
export function epochOf({ purges }: Pick<CacheState, "purges">, scopes: readonly string[]): number {
  let epoch = 0;
  for (const scope of scopes) {
    const purged = Object.hasOwn(purges, scope) ? purges[scope] : undefined;
    if (purged !== undefined && purged.number > epoch) epoch = purged.number;
  }
  return epoch;
}

/** The number of the tenant's latest purge by a tag, whichever; 0 when none is remembered. */
export function tagsEpochOf({ purges }: Pick<CacheState, "purges">, tenant: string): number {
  const prefix = `tag:${part(tenant)}:`;
  let epoch = 0;
  for (const [scope, { number }] of Object.entries(purges)) {
    if (number > epoch && scope.startsWith(prefix)) epoch = number;
  }
  return epoch;
}

/** Remembers a purge, forgets those that it covers, and keeps to {@link purgesMax}. `purged.number` is higher than any before. */
export function withPurge(purges: Purges, scope: string, purged: Purged, most = purgesMax): Purges {
  const rest = Object.entries(purges).filter(([other]) => other !== scope && !covers(scope, other));
  return bounded(Object.fromEntries([...rest, [scope, purged]]), most);
}

/** Without the purges from before which nothing can be kept any more; the same object when there are none. */
export function withoutExpired(purges: Purges, nowMs: number): Purges {
  const entries = Object.entries(purges);
  const kept = entries.filter(([, { atMs }]) => nowMs - atMs <= purgeKeptMs);
  return kept.length === entries.length ? purges : Object.fromEntries(kept);
}

/** Whether everything in the scope `inner` is in the scope `outer`. */
function covers(outer: string, inner: string): boolean {
  if (outer === "all") return true;
  if (outer.startsWith("model:")) return inner.startsWith(`version:${outer.slice("model:".length)}@`);
  return outer.startsWith("tenant:") && tenantScopeOf(inner) === outer;
}

/** `tenant:<t>` of a tag's or an entry's scope. */
function tenantScopeOf(scope: string): string | undefined {
  const tenant = /^(?:tag|key):([^:]+):/.exec(scope)?.[1];
  return tenant === undefined ? undefined : `tenant:${tenant}`;
}

/**
 * Too much is purged then, never too little: the older half of the purges of tags and entries of the tenant that has most
 * becomes one of the tenant; where there are none, the older half of all becomes one of everything.
 */
function bounded(purges: Purges, most: number): Purges {
  const entries = Object.entries(purges);
  if (entries.length <= most) return purges;
  const [into, group] = largest(entries) ?? (["all", entries] as const);
  const older = group.toSorted(([, a], [, b]) => a.number - b.number).slice(0, Math.ceil(group.length / 2));
  const known = Object.hasOwn(purges, into) ? purges[into] : undefined;
  const merged = latestOf([...older.map(([, purged]) => purged), ...(known === undefined ? [] : [known])]);
  const gone = new Set(older.map(([scope]) => scope));
  const rest = entries.filter(([scope]) => !gone.has(scope) && scope !== into);
  return bounded(Object.fromEntries([...rest, [into, merged]]), most);
}

type Entry = readonly [scope: string, purged: Purged];

/** The tenant whose tags and entries have most purges, two at least: its scope and those purges. */
function largest(entries: readonly Entry[]): readonly [string, readonly Entry[]] | undefined {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const tenant = tenantScopeOf(entry[0]);
    if (tenant === undefined) continue;
    const group = groups.get(tenant);
    if (group === undefined) groups.set(tenant, [entry]);
    else group.push(entry);
  }
  const [first] = [...groups].toSorted(([, a], [, b]) => b.length - a.length);
  return first === undefined || first[1].length < 2 ? undefined : first;
}

function latestOf(purges: readonly Purged[]): Purged {
  return {
    number: Math.max(...purges.map(({ number }) => number)),
    atMs: Math.max(...purges.map(({ atMs }) => atMs)),
  };
}
