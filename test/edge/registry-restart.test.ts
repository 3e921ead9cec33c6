import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelsAnswer } from "@ledge/contract";
import { afterAll, afterEach, expect, test } from "vitest";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, echoInference, registerIntent } from "../support/registry.ts";

/** What is left of the registry when everything around it stops at the worst moment. */

const dataDir = mkdtempSync(join(tmpdir(), "ledge-registry-"));
let edge: TestEdge | undefined;

afterEach(async () => {
  await edge?.close();
  edge = undefined;
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function start(): Promise<TestEdge> {
  edge = await startEdge({ standIns: { inference: echoInference }, dataDir });
  return edge;
}

const registry = async (at: TestEdge) => (await admin(at, "GET", "/models")).body as ModelsAnswer;
const kvOf = (at: TestEdge) => at.miniflare.getKVNamespace("SNAPSHOTS", "ledge-gateway");

test("a change that was saved is published although everything stopped before it could be", async () => {
  const before = await start();
  await registerIntent(before, "one", "words");
  await registerIntent(before, "two", "words");
  for (const version of ["2", "1", "2"]) await admin(before, "PUT", "/models/words/aliases/next", { version });
  const { number } = await registry(before);
  await before.close();
  const after = await start();
  const { key } = await after.issueKey();
  const kv = await kvOf(after);
  await until("the last change is published", async () => {
    await after.post("/v1/predict", key, { model: "words", input: "hello" });
    return String(await kv.get("current")) === String(number);
  });
  await until("the gateway has read it", async () => {
    const answer = await after.post("/v1/predict", key, { model: "words@next", input: "hello" });
    return answer.headers.get("Ledge-Model") === "words@2";
  });
});

test("a shipped package that the operator removed does not come back with the next start", async () => {
  const before = await start();
  await admin(before, "POST", "/models/tiny-chat/versions/1/unload");
  expect((await admin(before, "DELETE", "/models/tiny-chat/versions/1")).status).toBe(200);
  await before.close();
  const { models } = await registry(await start());
  expect(models.map(({ name }) => name)).toEqual(["intent", "words"]);
});

test("snapshots that were lost are published again when a gateway misses them", async () => {
  const at = await start();
  const { key } = await at.issueKey();
  const { number } = await registry(at);
  const kv = await kvOf(at);
  await kv.delete("current");
  await kv.delete(`snapshot:${number}`);
  await until("they are back", async () => {
    await at.post("/v1/predict", key, { model: "intent", input: "hello" });
    return String(await kv.get("current")) === String(number);
  });
});
