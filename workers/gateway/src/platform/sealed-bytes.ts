import type { Keep, SealedBytes } from "../cache/ports.ts";

/** Sealed answers outside the isolate: in KV, and on the way there in Cloudflare's Workers Cache. */

/** KV forgets nothing sooner, seconds. */
const expirationTtlMin = 60;
/** The shortest time for which KV lets a location keep what it read, seconds. */
const cacheTtl = 30;

/** What is used of a KV namespace. */
interface Kv {
  get(key: string, options: { type: "arrayBuffer"; cacheTtl: number }): Promise<ArrayBuffer | null>;
  getWithMetadata(
    key: string,
    options: { type: "arrayBuffer"; cacheTtl: number },
  ): Promise<{ readonly value: ArrayBuffer | null; readonly metadata: unknown }>;
  put(key: string, value: Uint8Array, options: { expirationTtl: number; metadata: object }): Promise<void>;
}

/** What is used of a Worker's entrypoint. */
export interface Fetched {
  fetch(url: string): Promise<Response>;
}

export function kvSealedBytes(answers: Kv): SealedBytes {
  return {
    async get(slot) {
      const bytes = await answers.get(slot, { type: "arrayBuffer", cacheTtl });
      return bytes === null ? undefined : new Uint8Array(bytes);
    },
    async put(slot, bytes, { keepS, freshUntilMs }) {
      const expirationTtl = Math.max(expirationTtlMin, Math.ceil(keepS));
      await answers.put(slot, bytes, { expirationTtl, metadata: { freshUntilMs } });
    },
  };
}

/** Whose name does not matter: it is never looked up. */
const origin = "https://answers.ledge";

/**
 * KV behind Workers Cache: a hit there does not reach KV. It keeps an answer until that is stale, so a newer one of the same
 * slot is seen late, though never a purged one, as a purge is another slot. Writing goes to KV.
 */
export function cachedSealedBytes(answers: () => Fetched, kv: SealedBytes): SealedBytes {
  return {
    async get(slot) {
      const response = await answers().fetch(`${origin}/${encodeURIComponent(slot)}`);
      if (response.status === 200) return new Uint8Array(await response.arrayBuffer());
      await response.body?.cancel();
      return undefined;
    },
    put: kv.put,
  };
}

/** What stands behind Workers Cache: `GET /<slot>` gives the sealed bytes, and says for how long they may be given again. */
export async function answerSealed(request: Request, answers: Kv, nowMs: number): Promise<Response> {
  const slot = decodeURIComponent(new URL(request.url).pathname.slice(1));
  const { value, metadata } = await answers.getWithMetadata(slot, { type: "arrayBuffer", cacheTtl });
  const { freshUntilMs = 0 } = (metadata ?? {}) as Partial<Keep>;
  const freshS = Math.floor((freshUntilMs - nowMs) / 1000);
  const cacheControl = value !== null && freshS > 0 ? `public, max-age=${freshS}` : "no-store";
  return new Response(value, {
    status: value === null ? 404 : 200,
    headers: { "Cache-Control": cacheControl, "Content-Type": "application/octet-stream" },
  });
}
