import { createHash } from "node:crypto";
import type { Fault } from "./faults.ts";
import type { Chunk } from "./flight.ts";
import type { CacheWish } from "./wish.ts";

export interface Entry {
  readonly id: string;
  readonly tenant: string;
  readonly model: string;
  readonly tags: readonly string[];
  readonly chunks: readonly Chunk[];
  readonly etag: string;
  readonly storedMs: number;
  readonly ttlS: number;
}

export interface Asked {
  readonly tenant: string;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What makes a call the same call. */
export function keyOf({ tenant, text, body }: Asked, { partition }: CacheWish, has: (fault: Fault) => boolean): string {
  if (partition !== "" && has("takes the caller's key for the key")) return partition;
  const { model, stream, stream_options: _options, user, metadata, messages, ...parameters } = body;
  const last = (messages as readonly unknown[]).at(-1);
  const parts = [
    has("leaves the tenant out") ? "" : tenant,
    has("leaves the model out") ? "" : model,
    partition,
    has("takes the body's text for the key") ? text : "",
    has("keeps each form apart") ? stream === true : "",
    has("counts who is billed") ? [user, metadata] : "",
    has("reads the last message only") ? last : messages,
    has("knows some parameters only") ? [parameters.temperature, parameters.max_tokens, parameters.seed] : parameters,
  ];
  const canonical = JSON.stringify(parts, sorted);
  return hash(has("takes look-alikes for the same") ? canonical.normalize("NFC") : canonical);
}

/** Objects with their keys in order, as canonical JSON has them. */
function sorted(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

export function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

export interface Scope {
  readonly all?: true;
  readonly tenant?: string;
  readonly model?: string;
  readonly tag?: string;
  readonly key?: string;
}

export function isIn(entry: Entry, { all, tenant, model, tag, key }: Scope): boolean {
  if (all === true) return true;
  return (
    (tenant === undefined || entry.tenant === tenant) &&
    (model === undefined || entry.model === model) &&
    (tag === undefined || entry.tags.includes(tag)) &&
    (key === undefined || entry.id === key)
  );
}
