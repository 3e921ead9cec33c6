import type { AuditAnswer, AuditRow, RegisteredModel, RolloutReport } from "@ledge/contract";
import type { TestEdge } from "./ledge.ts";
import { admin, registerIntent } from "./registry.ts";

/**
 * An inference Worker whose version 1 is always right and sure, and whose later versions do what their model's name says:
 * `failing` fails, `unsure` has low scores, `slow` takes its time, `differing` says another label for texts of odd length,
 * any other is as good.
 */
export const scriptedInference = `import { WorkerEntrypoint } from "cloudflare:workers";
  const timings = { queueMs: 0, prepareMs: 0, runMs: 1, shapeMs: 0, batchRows: 1, executions: 1 };
  export default class extends WorkerEntrypoint {
    async predict({ model, version, inputs }) {
      const later = version !== "1";
      if (later && model === "failing") return { ok: false, fault: { code: "upstream_failed", cause: "as scripted" } };
      if (later && model === "slow") await new Promise((resolve) => setTimeout(resolve, 700));
      const predictions = inputs.map((text) => ({
        label: later && model === "differing" && text.length % 2 === 1 ? "other" : "same",
        score: later && model === "unsure" ? 0.1 : 0.9,
        top: [],
      }));
      return { ok: true, value: { predictions, inputTokens: 1, timings } };
    }
    load() { return { ok: true, value: { loadMs: 1, warmed: [1], wasmHeapBytes: 1 } }; }
    unload() { return { ok: true, value: { unloaded: true } }; }
    warm() { return { ok: true, value: this.report() }; }
    report() { return { models: [], wasmHeapBytes: 0, queued: 0, batches: {} }; }
  }`;

/** A model of two versions, the first of them stable. */
export async function registerTwo(edge: TestEdge, name: string): Promise<void> {
  await registerIntent(edge, "one", name);
  await registerIntent(edge, "two", name);
}

/** Starts a rollout. Throws when it is refused. */
export async function start(edge: TestEdge, name: string, body: object): Promise<RolloutReport> {
  const started = await admin(edge, "POST", `/models/${name}/rollout`, body);
  if (started.status !== 201) throw new Error(`no rollout: ${started.status} ${JSON.stringify(started.body)}`);
  return started.body as RolloutReport;
}

export async function report(edge: TestEdge, name: string): Promise<RolloutReport> {
  return (await admin(edge, "GET", `/models/${name}/rollout`)).body as RolloutReport;
}

export async function model(edge: TestEdge, name: string): Promise<RegisteredModel> {
  return (await admin(edge, "GET", `/models/${name}`)).body as RegisteredModel;
}

/** What the controller did by itself, oldest first. */
export async function controlled(edge: TestEdge, name: string): Promise<readonly AuditRow[]> {
  const { rows } = (await admin(edge, "GET", `/audit?model=${name}`)).body as AuditAnswer;
  return rows.filter(({ who }) => who === "controller");
}

/** One caller's call, from no cache: what answered. */
export async function call(edge: TestEdge, key: string, name: string, who: string, input = "hello") {
  const headers = { "Ledge-Sticky-Key": who, "Cache-Control": "no-store" };
  const answer = await edge.post("/v1/predict", key, { model: name, input }, headers);
  await answer.text();
  return {
    status: answer.status,
    version: answer.headers.get("Ledge-Model")?.split("@")[1],
    requestId: answer.headers.get("Ledge-Request-Id") ?? "",
  };
}

/** The versions that a hundred callers get. */
export async function versionsNow(edge: TestEdge, key: string, name: string): Promise<ReadonlySet<string | undefined>> {
  const answers = await Promise.all(Array.from({ length: 100 }, (_, who) => call(edge, key, name, `user-${who}`)));
  return new Set(answers.map(({ version }) => version));
}

/** Calls by callers without end, 40 at once, until `met`; fails after 50 seconds with `what`. */
export async function callUntil(
  what: string,
  edge: TestEdge,
  [key, name]: readonly [string, string],
  met: () => Promise<boolean>,
): Promise<readonly Awaited<ReturnType<typeof call>>[]> {
  const endMs = Date.now() + 50_000;
  const seen: Awaited<ReturnType<typeof call>>[] = [];
  let caller = 0;
  while (!(await met())) {
    if (Date.now() > endMs) throw new Error(`not within 50 s and ${seen.length} calls: ${what}`);
    for (let wave = 0; wave < 5; wave++) {
      seen.push(...(await Promise.all(Array.from({ length: 40 }, () => call(edge, key, name, `user-${caller++}`)))));
    }
  }
  return seen;
}
