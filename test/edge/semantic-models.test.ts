import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PackageManifest } from "@ledge/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { registerPackage } from "../../scripts/local/packages.ts";
import { freePort } from "../../scripts/local/port.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { startEdge, startOrigin, type TestEdge } from "../support/ledge.ts";
import { admin, deskOf } from "../support/registry.ts";

/** Answers to prompts that mean the same, by the shipped models at their default threshold. */

const kept = "How can I cancel my order?";
const like = "Please, how can I cancel my order?";
const unlike = "How can I place my order?";
/** A model takes its time to load, and a look that takes longer than a quarter of a second is a miss. */
const withinMs = 90_000;

let packages: string;
let origin: RunningOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  packages = mkdtempSync(join(tmpdir(), "ledge-semantic-"));
  const port = await freePort(0, "--port");
  const models = JSON.stringify([{ name: "tiny-chat", tokens: ["an", " answer"] }]);
  const REGISTRY_URL = `http://127.0.0.1:${port}`;
  origin = await startOrigin({ MODELS: "none", FAKE_MODELS: models, REGISTRY_URL, PACKAGES_DIR: packages });
  edge = await startEdge({ port, originUrl: origin.url });
  key = (await edge.issueKey()).key;
  for (const name of ["embed", "same-answer"]) {
    await register(name);
    await register(name, { name: `far-${name}`, tiers: ["origin"] });
  }
}, withinMs);
afterAll(async () => {
  await edge.close();
  await origin.close();
  rmSync(packages, { recursive: true, force: true });
});

async function register(shipped: string, more: Partial<PackageManifest> = {}): Promise<void> {
  const folder = join(repoRoot, "models", shipped, "1");
  const manifest: PackageManifest = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
  await registerPackage(deskOf(edge), { ...manifest, ...more }, (path) => readFileSync(join(folder, path)));
}

/** In a partition of the cache, which knows nothing of the others. */
async function ask(prompt: string, partition: string) {
  const body = { model: "tiny-chat", temperature: 0, messages: [{ role: "user", content: prompt }] };
  const wish = { "Ledge-Cache-Semantic": "on", "Ledge-Cache-Key": partition };
  const answer = await edge.post("/v1/chat/completions", key, body, wish);
  expect(answer.status).toBe(200);
  await answer.text();
  const status = answer.headers.get("cache-status") ?? "";
  return { status, id: /key="([0-9a-f]{32})"/.exec(status)?.[1] };
}

let partitions = 0;

/**
 * Asks the kept prompt and then the like one, in one partition after another, until that is answered by meaning, and `isSo` was
 * true before. While the next partition's prompt is asked, the one before gets into its index.
 */
async function hitByMeaning(isSo = () => true) {
  let before: { id: string | undefined; partition: string; counts: boolean } | undefined;
  for (const endMs = Date.now() + withinMs; Date.now() < endMs; ) {
    const partition = `partition-${partitions++}`;
    const counts = isSo();
    const { id } = await ask(kept, partition);
    const status = before === undefined ? "" : (await ask(like, before.partition)).status;
    if (before?.counts && status.includes("semantic")) return { ...before, status };
    before = { id, partition, counts };
  }
  throw new Error(`no prompt was answered by its meaning within ${withinMs / 1000} s`);
}

const byMeaning =
  /^Ledge; hit; .*detail="semantic; similarity=0\.9\d\d; probability=([01]\.\d{3}); id=([0-9a-f]{32})"$/;

test(
  "the shipped embedder and verifier answer a prompt by the answer to the same one said politely, and not by another's",
  async () => {
    const { status, id, partition } = await hitByMeaning();
    const [, probability, answered] = byMeaning.exec(status) ?? [];
    expect(answered).toBe(id);
    expect(Number(probability)).toBeGreaterThanOrEqual(0.95);
    expect((await ask(unlike, partition)).status).toMatch(/^Ledge; fwd=miss/);
  },
  2 * withinMs,
);

test.each([
  ["an embedder", "embedder", "far-embed"],
  ["a verifier", "verifier", "far-same-answer"],
])(
  "%s that only the origin has serves as well",
  async (_what, member, model) => {
    const policy = { semantic: { [member]: model } };
    expect((await admin(edge, "PUT", "/models/tiny-chat/cache", policy)).status).toBe(200);
    // Until the policy is known the shipped one is asked.
    const { status, id } = await hitByMeaning(() => origin.logs.some((line) => line.includes(`"${model}@1"`)));
    expect(byMeaning.exec(status)?.[2]).toBe(id);
  },
  2 * withinMs,
);
