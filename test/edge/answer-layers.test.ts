import { afterAll } from "vitest";
import { SealedLayer } from "../../workers/gateway/src/cache/sealed.ts";
import { answerSealed, cachedSealedBytes, kvSealedBytes } from "../../workers/gateway/src/platform/sealed-bytes.ts";
import { answerLayerSuite, type LayerPlace } from "../support/answer-layers.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";

/** The layers beyond the isolate, on the KV that the gateway has. */

let running: Promise<TestEdge> | undefined;
const edge = () => {
  running ??= startEdge();
  return running;
};
afterAll(async () => (await running)?.close());

type TestKv = Awaited<ReturnType<TestEdge["miniflare"]["getKVNamespace"]>>;

async function answersKv(): Promise<TestKv> {
  return await (await edge()).miniflare.getKVNamespace("ANSWERS", "ledge-gateway");
}

function onKv(kv: TestKv, layer: SealedLayer): LayerPlace {
  return {
    layer,
    corrupt: async (slot, change) => {
      const { value, metadata } = await kv.getWithMetadata(slot, "arrayBuffer");
      await kv.put(slot, change(new Uint8Array(value ?? new ArrayBuffer(0))), { metadata });
    },
  };
}

answerLayerSuite("KV", async () => {
  const kv = await answersKv();
  return onKv(kv, new SealedLayer("kv", kvSealedBytes(kv)));
});

/** The platform's own cache cannot be had here: this is the way through it, with nothing kept on it. */
answerLayerSuite("Workers Cache", async () => {
  const kv = await answersKv();
  const answers = { fetch: (url: string) => answerSealed(new Request(url), kv, Date.now()) };
  const bytes = cachedSealedBytes(() => answers, kvSealedBytes(kv));
  return onKv(kv, new SealedLayer("workers-cache", bytes));
});
