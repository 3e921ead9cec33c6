import { registerPackage } from "../../scripts/local/packages.ts";
import type { TestEdge } from "./ledge.ts";
import { deskOf, manifestOf } from "./registry.ts";

/**
 * An inference Worker whose embedder places prompts by the words they have, so that prompts with most words in common lie
 * near, and whose verifier is sure of every pair but those with "maybe" in them.
 */
export const likeInference = `import { WorkerEntrypoint } from "cloudflare:workers";
  const timings = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
  const dimensions = 64;
  function embed(text) {
    const vector = new Array(dimensions).fill(0);
    for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
      let hash = 7;
      for (const char of word) hash = (hash * 31 + char.charCodeAt(0)) % 9973;
      vector[hash % dimensions] += 1;
    }
    const length = Math.hypot(...vector) || 1;
    return { embedding: vector.map((x) => x / length) };
  }
  function judge(pair) {
    const same = pair.includes("maybe") ? 0.3 : 0.999;
    const top = [{ label: "same", score: same }, { label: "different", score: 1 - same }];
    return { label: "same", score: same, top };
  }
  export default class extends WorkerEntrypoint {
    predict({ model, inputs }) {
      if (inputs.some((text) => text.includes("embedder down"))) return { ok: false, fault: { code: "upstream_failed" } };
      return { ok: true, value: { predictions: inputs.map(model === "embed" ? embed : judge), inputTokens: 1, timings } };
    }
    load() { return { ok: true, value: { loadMs: 1, warmed: [1], wasmHeapBytes: 1 } }; }
    unload() { return { ok: true, value: { unloaded: true } }; }
    warm() { return { ok: true, value: this.report() }; }
    report() { return { models: [], wasmHeapBytes: 0, queued: 0, batches: {} }; }
  }`;

/** Registers models under the names that the semantic cache asks for by default. */
export async function registerLikeModels(edge: TestEdge): Promise<void> {
  for (const [name, task] of [
    ["embed", "embedding"],
    ["same-answer", "text-classification"],
  ] as const) {
    await registerPackage(deskOf(edge), manifestOf(name, name, { task }), () => new TextEncoder().encode(name));
  }
}
