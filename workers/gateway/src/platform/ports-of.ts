import type { StoredKey } from "@ledge/policy";
import type { TokenBucket } from "../admit/ports.ts";
import type { AnswerStore, StoredAnswer } from "../cache/ports.ts";
import type { GatewayEnv } from "../env.ts";
import type { KeyStore } from "../ports.ts";
import type { Config } from "./config.ts";

/** The stages' ports on this platform. Nothing outside this folder names a binding. */
export function portsOf(env: GatewayEnv, config: Config) {
  // Keys and lifetimes of everything stored are listed in docs/storage-schema.md.
  return {
    keys: kvKeyStore(env.KEYS),
    answers: kvAnswerStore(env.ANSWERS, config.CACHE_TTL_S),
    bucket: durableBucket(env.RATE_LIMITS),
    inference: env.INFERENCE,
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
