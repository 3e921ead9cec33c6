import type { StoredKey } from "@ledge/policy";
import type { TokenBucket } from "../admit/ports.ts";
import type { SnapshotStore } from "../assign/ports.ts";
import type { AnswerStore, StoredAnswer } from "../cache/ports.ts";
import type { GatewayEnv } from "../env.ts";
import type { RatingCounter, TallyReader, TallySink } from "../observe/ports.ts";
import type { RegistryPort, RolloutCounter } from "../operate/ports.ts";
import type { KeyStore } from "../ports.ts";
import { r2Blobs } from "./blobs.ts";
import type { Config } from "./config.ts";
import { currentKey, snapshotKey } from "./durable/publish.ts";
import { durableSemanticIndex } from "./semantic-index.ts";

/** The stages' ports on this platform. Nothing outside this folder names a binding. */
export function portsOf(env: GatewayEnv, config: Config) {
  // Keys and lifetimes of everything stored are listed in docs/storage-schema.md.
  return {
    keys: kvKeyStore(env.KEYS),
    answers: kvAnswerStore(env.ANSWERS, config.CACHE_TTL_S),
    bucket: durableBucket(env.RATE_LIMITS),
    inference: env.INFERENCE,
    registry: durableRegistry(env.REGISTRY),
    tallies: durableTallies(env.TALLIES),
    snapshots: kvSnapshots(env.SNAPSHOTS),
    blobs: r2Blobs(env.MODEL_BYTES),
    semanticIndex: durableSemanticIndex(env.SEMANTIC_INDEX),
  };
}

function kvKeyStore(keys: KVNamespace): KeyStore {
  return {
    async get(id) {
      return (await keys.get<StoredKey>(`key:${id}`, "json")) ?? undefined;
    },
    async put(key) {
      await keys.put(`key:${key.id}`, JSON.stringify(key));
    },
    async delete(id) {
      await keys.delete(`key:${id}`);
    },
  };
}

function kvAnswerStore(answers: KVNamespace, ttlS: number): AnswerStore {
  return {
    async get(key) {
      const { value, metadata } = await answers.getWithMetadata<{ expiresAtMs: number }>(key, "text");
      if (value === null || typeof metadata?.expiresAtMs !== "number") return undefined;
      return { body: value, expiresAtMs: metadata.expiresAtMs };
    },
    async put(key: string, { body, expiresAtMs }: StoredAnswer) {
      await answers.put(key, body, { expirationTtl: ttlS, metadata: { expiresAtMs } });
    },
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
function durableRegistry(
  registries: GatewayEnv["REGISTRY"],
): RegistryPort & { wake(unpublished: boolean): Promise<void> } {
  const registry = () => registries.getByName("registry");
  return {
    change: async (change, who) => await registry().change(change, who),
    snapshot: async () => await registry().snapshot(),
    audit: async (query) => await registry().audit(query),
    wake: async (unpublished) => await registry().wake(unpublished),
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
