/**
 * An inference Worker whose every answer is another one: its label says how often a text was run. A text with `broken` in it
 * fails from its second run on, one with `slow` takes its time.
 */
export const countingInference = `import { WorkerEntrypoint } from "cloudflare:workers";
  const runs = new Map();
  const timings = { queueMs: 0, prepareMs: 0, runMs: 1, shapeMs: 0, batchRows: 1, executions: 1 };
  export default class extends WorkerEntrypoint {
    async predict({ inputs }) {
      const text = String(inputs[0]);
      const run = (runs.get(text) ?? 0) + 1;
      runs.set(text, run);
      if (text.includes("slow")) await new Promise((resolve) => setTimeout(resolve, 300));
      if (text.includes("broken") && run > 1) return { ok: false, fault: { code: "upstream_failed", cause: "as told" } };
      const predictions = inputs.map(() => ({ label: "run " + run, score: 0.9, top: [] }));
      return { ok: true, value: { predictions, inputTokens: 1, timings } };
    }
    load() { return { ok: true, value: { loadMs: 1, warmed: [1], wasmHeapBytes: 1 } }; }
    unload() { return { ok: true, value: { unloaded: true } }; }
    warm() { return { ok: true, value: this.report() }; }
    report() { return { models: [], wasmHeapBytes: 0, queued: 0, batches: {} }; }
  }`;
