import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PackageManifest, RegisterAnswer } from "@ledge/contract";
import { type Desk, operate, registerPackage } from "../../scripts/local/packages.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { adminKey, type TestEdge } from "./ledge.ts";

/** An inference Worker that answers at once with who was asked, `name@version`, and loads whatever does not say "broken". */
export const echoInference = `import { WorkerEntrypoint } from "cloudflare:workers";
  const timings = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
  export default class extends WorkerEntrypoint {
    predict({ model, version, inputs }) {
      const predictions = inputs.map(() => ({ label: model + "@" + version, score: 1, top: [] }));
      return { ok: true, value: { predictions, inputTokens: 1, timings } };
    }
    load({ model }) {
      if (model.includes("broken")) return { ok: false, fault: { code: "model_not_ready", cause: "no such operator" } };
      return { ok: true, value: { loadMs: 1, warmed: [1], wasmHeapBytes: 1 } };
    }
    unload() { return { ok: true, value: { unloaded: true } }; }
    warm() { return { ok: true, value: this.report() }; }
    report() { return { models: [], wasmHeapBytes: 0, queued: 0, batches: {} }; }
  }`;

export function deskOf(edge: TestEdge): Desk {
  return { edge: edge.url, adminKey };
}

/** A call of the operator's API: its status and its body as JSON. */
export async function admin(
  edge: TestEdge,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await operate(deskOf(edge), method, `/admin/v1${path}`, text);
  return { status: answer.status, body: await answer.json() };
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const intentDir = join(repoRoot, "models", "intent", "1");

/** The shipped classifier under another licence, so another package of the same weights. */
export function registerIntent(
  edge: TestEdge,
  licence: string,
  name = "intent",
  more: Partial<PackageManifest> = {},
): Promise<RegisterAnswer> {
  const manifest = JSON.parse(readFileSync(join(intentDir, "model.json"), "utf8")) as PackageManifest;
  return registerPackage(deskOf(edge), { ...manifest, name, licence, ...more }, (path) =>
    readFileSync(join(intentDir, path)),
  );
}

/** A package of one small file that is nobody's model: for what never runs it. */
export function manifestOf(
  name: string,
  bytes: Uint8Array | string,
  more: Partial<PackageManifest> = {},
): PackageManifest {
  return {
    name,
    version: "1",
    task: "text-classification",
    description: "",
    licence: "none",
    file: { path: "model.onnx", bytes: Buffer.byteLength(bytes), sha256: sha256(bytes) },
    inputs: [],
    outputs: [],
    tiers: ["edge"],
    limits: {},
    ...more,
  };
}
