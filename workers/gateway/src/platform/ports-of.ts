import type { KeyRecord, TenantRecord, Terms } from "@ledge/contract";
import type { CertificateStore, TokenBucket } from "../admit/ports.ts";
import type { RegistryWatch, SnapshotStore } from "../assign/ports.ts";
import type { GatewayEnv, OperatorEnv } from "../env.ts";
import type { RatingCounter, TallyReader, TallySink } from "../observe/ports.ts";
import type { CacheKeeperPort, RegistryPort, RolloutCounter } from "../operate/ports.ts";
import type { KeyStore, PublishedTenancy } from "../ports.ts";
import { r2Blobs } from "./blobs.ts";
import { currentKey, snapshotKey } from "./durable/publish.ts";
import { durableAbuseBook, durableBlockList, floodWall } from "./durable-abuse.ts";
import { durableFlights } from "./durable-flights.ts";
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
    bucket: durableBucket(env.RATE_LIMITS),
    book: durableAbuseBook(env),
    wall: floodWall(env.FLOOD_WALL),
    inference: env.INFERENCE,
    tokens: env.IDENTITY,
    certificates: kvCertificates(env.KEYS),
    operator: env.OPERATOR,
    registry: durableRegistry(env.REGISTRY),
    tallies: durableTallies(env.TALLIES),
    snapshots: kvSnapshots(env.SNAPSHOTS),
    semanticIndex: durableSemanticIndex(env.SEMANTIC_INDEX),
  };
}

/** The operator Worker's. */
export function operatorPortsOf(env: OperatorEnv) {
  return {
    keys: kvKeyStore(env.KEYS),
    inference: env.INFERENCE,
    registry: durableRegistry(env.REGISTRY),
    tallies: durableTallies(env.TALLIES),
    cacheKeeper: durableCacheKeeper(env.CACHE_KEEPER),
    blockList: durableBlockList(env.BLOCKS),
    blobs: r2Blobs(env.MODEL_BYTES),
  };
}

function kvKeyStore(keys: KVNamespace): KeyStore {
  return {
    async get(id) {
      return (await keys.get<KeyRecord>(`key:${id}`, "json")) ?? undefined;
    },
    async put(key) {
      await keys.put(`key:${key.id}`, JSON.stringify(key));
    },
    async delete(id) {
      await keys.delete(`key:${id}`);
    },
  };
}

function kvCertificates(keys: KVNamespace): CertificateStore {
  return {
    get: async (sha256) => (await keys.get<KeyRecord>(`certificate:${sha256}`, "json")) ?? undefined,
  };
}

function kvTenancy(keys: KVNamespace): PublishedTenancy {
  return {
    tenant: async (name) => (await keys.get<TenantRecord>(`tenant:${name}`, "json")) ?? undefined,
    terms: async () => (await keys.get<Terms>("terms:current", "json")) ?? undefined,
  };
}

function durableBucket(limits: GatewayEnv["RATE_LIMITS"]): TokenBucket {
  return {
    async take(subject, rule, ask) {
      return await limits.getByName(subject).take(rule, ask);
    },
  };
}

/** One object for the whole deployment. */
function durableRegistry(registries: GatewayEnv["REGISTRY"]): RegistryPort & RegistryWatch {
  const registry = () => registries.getByName("registry");
  return {
    change: async (change, who) => await registry().change(change, who),
    snapshot: async () => await registry().snapshot(),
    audit: async (query) => await registry().audit(query),
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
