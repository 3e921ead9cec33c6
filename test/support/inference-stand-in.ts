/**
 * The text of an inference Worker that does what `members` say, methods of a class, and for the rest is well. `timings` is what a
 * `predict` of theirs may answer with.
 */
export function inferenceStandIn(members: string): string {
  return `import { WorkerEntrypoint } from "cloudflare:workers";
  const timings = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
  export default class extends WorkerEntrypoint {
    load() { return { ok: true, value: { loadMs: 1, warmed: [1], wasmHeapBytes: 1 } }; }
    unload() { return { ok: true, value: { unloaded: true } }; }
    warm() { return { ok: true, value: this.report() }; }
    report() { return { models: [], wasmHeapBytes: 0, queued: 0, batches: {} }; }
    ${members}
  }`;
}
