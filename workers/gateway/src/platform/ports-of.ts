import type { AuditLogName, KeyRecord, TenantRecord, Terms } from "@ledge/contract";
import type { MeterAnswer } from "@ledge/policy";
import type { Meters } from "../admit/ports.ts";
import type { RegistryWatch, SnapshotStore } from "../assign/ports.ts";
import type { GatewayEnv, OperatorEnv } from "../env.ts";
import type { RatingCounter, TallyReader, TallySink } from "../observe/ports.ts";
import type {
  AdminReader,
  AuditReader,
  CacheKeeperPort,
  DirectoryWriter,
  KeyCloser,
  KeyReader,
  KeyUse,
  RegistryPort,
  RolloutCounter,
  TenantReader,
  TermsReader,
} from "../operate/ports.ts";
import type { KeyStore, PublishedTenancy } from "../ports.ts";
import { r2Blobs } from "./blobs.ts";
import { currentKey, snapshotKey } from "./durable/publish.ts";
import { durableAbuseBook, durableBlockList, floodWall } from "./durable-abuse.ts";
import { durableFlights } from "./durable-flights.ts";
import { durableLedger, durableLedgers } from "./durable-ledger.ts";
import { entryPurger, publishedKeyrings, publishedRules } from "./published-cache.ts";
import { loopback } from "./sealed-answers.ts";
import { cachedSealedBytes, kvSealedBytes } from "./sealed-bytes.ts";
import { durableSemanticIndex } from "./semantic-index.ts";

/** The gateway's ports on this platform. Nothing outside this folder names a binding. */
export function portsOf(env: GatewayEnv) {
  // Keys and lifetimes of everything stored are listed in docs/storage-schema.md.
  return {
    keys: kvKeyStore(env.KEYS),
    tenancy: kvTenancy(env.KEYS),
    answers: kvSealedBytes(env.ANSWERS),
    answersInWorkersCache: cachedSealedBytes(loopback, kvSealedBytes(env.ANSWERS)),
    publishedRules: publishedRules(env.SNAPSHOTS, env.CACHE_KEEPER),
    keyrings: publishedKeyrings(env.SNAPSHOTS, env.CACHE_KEEPER),
    entryPurger: entryPurger(env.CACHE_KEEPER),
    flightRooms: durableFlights(env.FLIGHTS),
    meters: durableMeters(env.METERS),
    book: durableAbuseBook(env),
    wall: floodWall(env.FLOOD_WALL),
    inference: env.INFERENCE,
    origins: env.ORIGINS,
    tokens: env.IDENTITY,
    jobs: env.JOBS,
    operator: env.OPERATOR,
    registry: durableRegistry(env.REGISTRY),
    tallies: durableTallies(env.TALLIES),
    ledger: durableLedger(env.LEDGERS),
    snapshots: kvSnapshots(env.SNAPSHOTS),
    semanticIndex: durableSemanticIndex(env.SEMANTIC_INDEX),
  };
}

/** The operator Worker's. */
export function operatorPortsOf(env: OperatorEnv) {
  return {
    directory: durableDirectory(env.DIRECTORY),
    audits: durableAudits(env),
    closer: durableCloser(env.METERS),
    use: ledgerUse(env.LEDGERS),
    inference: env.INFERENCE,
    registry: durableRegistry(env.REGISTRY),
    tallies: durableTallies(env.TALLIES),
    cacheKeeper: durableCacheKeeper(env.CACHE_KEEPER),
    ledgers: durableLedgers(env.LEDGERS, env.LEDGER_LIST),
    tenancy: kvTenancy(env.KEYS),
    blockList: durableBlockList(env.BLOCKS),
    blobs: r2Blobs(env.MODEL_BYTES),
  };
}

function kvKeyStore(keys: KVNamespace): KeyStore {
  return {
    get: async (id) => (await keys.get<KeyRecord>(`key:${id}`, { type: "json", cacheTtl })) ?? undefined,
  };
}

function kvTenancy(keys: KVNamespace): PublishedTenancy {
  return {
    tenant: async (name) => (await keys.get<TenantRecord>(`tenant:${name}`, { type: "json", cacheTtl })) ?? undefined,
    terms: async () => (await keys.get<Terms>("terms:current", { type: "json", cacheTtl })) ?? undefined,
  };
}

/** One object for the whole deployment. */
function durableDirectory(
  directories: OperatorEnv["DIRECTORY"],
): DirectoryWriter & TenantReader & KeyReader & TermsReader & AdminReader {
  const directory = () => directories.getByName("directory");
  return {
    change: async (change, who) => await directory().change(change, who),
    tenant: async (name) => await directory().tenant(name),
    tenants: async (after, limit) => await directory().tenants(after, limit),
    projects: async (tenant) => await directory().projects(tenant),
    members: async (tenant) => await directory().members(tenant),
    webhook: async (tenant) => await directory().webhook(tenant),
    key: async (id) => await directory().key(id),
    keys: async (filter) => await directory().keys(filter),
    terms: async () => await directory().terms(),
    admins: async () => await directory().admins(),
    adminByHash: async (hash) => await directory().adminByHash(hash),
  };
}

function durableAudits(env: OperatorEnv): Readonly<Record<AuditLogName, AuditReader>> {
  return {
    registry: { audit: async (query) => await env.REGISTRY.getByName("registry").audit(query) },
    cache: { audit: async (query) => await env.CACHE_KEEPER.getByName("cache").audit(query) },
    directory: { audit: async (query) => await env.DIRECTORY.getByName("directory").audit(query) },
  };
}

/** The tenant's ledger knows it, to the hour. */
function ledgerUse(ledgers: OperatorEnv["LEDGERS"]): KeyUse {
  return { lastUsed: async (tenant, ids) => await ledgers.getByName(tenant).lastUsed(ids) };
}

/** A meter that does not answer in this time cannot be reached. */
const meterMsMax = 2_000;

/** One object a subject. */
function durableMeters(meters: GatewayEnv["METERS"]): Meters {
  return {
    async ask(subject, limits, ask) {
      const late = new AbortController();
      const answer = twice(() => meters.getByName(subject).ask(limits, ask));
      const timeout = scheduler.wait(meterMsMax, { signal: late.signal }).then(() => {
        throw new Error(`no answer in ${meterMsMax} ms`);
      });
      try {
        return await Promise.race([answer, timeout]);
      } finally {
        late.abort();
        // What loses the race says so to nobody.
        timeout.catch(() => undefined);
        answer.catch(() => undefined);
      }
    },
  };
}

/** An object that was just moved or restarted answers the next time. An ask may reach its meter twice: it is granted once. */
async function twice(ask: () => Promise<MeterAnswer>): Promise<MeterAnswer> {
  try {
    return await ask();
  } catch (error) {
    const { retryable, overloaded } = error as { readonly retryable?: boolean; readonly overloaded?: boolean };
    if (retryable !== true || overloaded === true) throw error;
    return await ask();
  }
}

function durableCloser(meters: OperatorEnv["METERS"]): KeyCloser {
  return { close: async (subject) => await meters.getByName(subject).close() };
}

/** One object for the whole deployment. */
function durableRegistry(registries: GatewayEnv["REGISTRY"]): RegistryPort & RegistryWatch {
  const registry = () => registries.getByName("registry");
  return {
    change: async (change, who) => await registry().change(change, who),
    snapshot: async () => await registry().snapshot(),
    newerThan: async (number) => await registry().newerThan(number),
    wake: async (unpublished) => await registry().wake(unpublished),
  };
}

/** One object for the whole deployment. */
function durableCacheKeeper(keepers: OperatorEnv["CACHE_KEEPER"]): CacheKeeperPort {
  const keeper = () => keepers.getByName("cache");
  return {
    change: async (change, who) => await keeper().change(change, who),
    state: async () => await keeper().state(),
    changes: async () => await keeper().changes(),
    keys: async (tenant) => await keeper().keys(tenant),
  };
}

/** One object a model. */
function durableTallies(tallies: GatewayEnv["TALLIES"]): TallySink & RatingCounter & RolloutCounter & TallyReader {
  return {
    add: async (model, batch) => await tallies.getByName(model).add(model, batch),
    rate: async (model, rating) => await tallies.getByName(model).rate(model, rating),
    read: async (model) => await tallies.getByName(model).read(),
    readRollout: async (model, id) => await tallies.getByName(model).readRollout(id),
    readUsual: async (model, version) => await tallies.getByName(model).readUsual(version),
  };
}

/** The shortest time for which KV lets a location keep what it read, seconds. */
const cacheTtl = 30;

function kvSnapshots(snapshots: KVNamespace): SnapshotStore {
  return {
    async current() {
      const text = await snapshots.get(currentKey, { cacheTtl });
      return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
    },
    snapshot: (number) => snapshots.get(snapshotKey(number), { type: "json", cacheTtl }),
  };
}
