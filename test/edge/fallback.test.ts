import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageManifest } from "@ledge/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { registerPackage } from "../../scripts/local/packages.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { bodyOf } from "../support/answer-body.ts";
import { newKey } from "../support/directory.ts";
import { startEdge, startOrigin, type TestEdge, until } from "../support/ledge.ts";
import { deskOf } from "../support/registry.ts";
import { report, start } from "../support/rollouts.ts";

/** A chat model whose engine fails, and the models that the deployment names in its place. */

const messages = [{ role: "user", content: "hello" }];

let origin: RunningOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startOrigin({
    MODELS: "none",
    FAKE_MODELS: JSON.stringify([
      { name: "tiny-chat", failAfter: 0 },
      { name: "broken-chat", failAfter: 0 },
      { name: "two-chat", tokens: ["stable"] },
      { name: "two-chat", version: "2", failAfter: 0 },
      { name: "small-chat", tokens: ["small", " but", " well"] },
    ]),
  });
  const fallbacks = {
    "tiny-chat": ["gone-chat", "intent", "tiny-chat", "broken-chat", "small-chat"],
    "two-chat": ["small-chat"],
  };
  edge = await startEdge({ originUrl: origin.url, gateway: { FALLBACKS: JSON.stringify(fallbacks) } });
  const folder = join(repoRoot, "models", "tiny-chat", "1");
  const manifest = packageManifest.parse(JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
  // A manifest names its graph once; that of a shipped package may list it among its files too.
  const files = (manifest.files ?? []).filter(({ path }) => path !== manifest.file.path);
  for (const [name, licence] of [
    ["broken-chat", "one"],
    ["small-chat", "one"],
    ["two-chat", "one"],
    ["two-chat", "two"],
  ] as const) {
    const changed = { ...manifest, name, files, licence };
    await registerPackage(deskOf(edge), changed, (path) => readFileSync(join(folder, path)));
  }
  key = (await edge.issueKey()).key;
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

function ask(model: string, more: object = {}, by = key): Promise<Response> {
  return edge.post("/v1/chat/completions", by, { model, messages, ...more });
}

test.each([
  ["whole", {}],
  ["kept", { temperature: 0 }],
])(
  "a %s chat whose model fails is answered by the first that can of those named in its place, and says so",
  async (_form, more) => {
    const answer = await ask("tiny-chat", more);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Ledge-Model")).toBe("small-chat@1");
    expect(answer.headers.get("Ledge-Fallback")).toBe("for=tiny-chat@1; code=upstream_failed");
    const body = await bodyOf(answer);
    expect([body.model, body.choices[0]?.message.content]).toEqual(["small-chat@1", "small but well"]);
  },
);

test("so is a streamed one, from its first event", async () => {
  const answer = await ask("tiny-chat", { stream: true });
  expect([answer.status, answer.headers.get("Ledge-Model")]).toEqual([200, "small-chat@1"]);
  const text = await answer.text();
  expect(text).toContain("[DONE]");
  expect(text).not.toContain("error");
});

test("who asks for a version by its number gets that version or a fault", async () => {
  const answer = await ask("tiny-chat@1");
  expect([answer.status, answer.headers.get("Ledge-Model")]).toEqual([502, "tiny-chat@1"]);
});

test("a model with nothing named in its place fails as it did", async () => {
  const answer = await ask("broken-chat");
  expect([answer.status, answer.headers.get("Ledge-Fallback")]).toEqual([502, null]);
});

test("a key that may not ask a model is not answered by it", async () => {
  const { key: narrow } = await newKey(edge, { scopes: [{ actions: ["chat"], models: ["tiny-chat"] }] });
  expect((await ask("tiny-chat", {}, narrow)).status).toBe(502);
});

test("an answer of the model itself says of no fallback", async () => {
  const answer = await ask("small-chat");
  expect([answer.status, answer.headers.get("Ledge-Fallback")]).toEqual([200, null]);
});

test("a canary whose chats are answered by a fallback counts as failed in its rollout's report, and no caller hears of it", async () => {
  await start(edge, "two-chat", { kind: "canary", version: "2", steps: [50, 100], calls_min: 1_000_000 });
  const seen = new Set<string>();
  let caller = 0;
  const ofCandidate = async () => (await report(edge, "two-chat")).arms[1];
  await until(
    "calls of both are answered, and the candidate's are counted",
    async () => {
      const headers = { "Ledge-Sticky-Key": `user-${caller++}` };
      const answer = await edge.post("/v1/chat/completions", key, { model: "two-chat", messages }, headers);
      await answer.text();
      seen.add(`${answer.status} ${answer.headers.get("Ledge-Model")}`);
      // Chance may deal the first five callers to one arm.
      return seen.size > 1 && ((await ofCandidate())?.calls ?? 0) >= 5;
    },
    30_000,
  );
  expect(seen).toEqual(new Set(["200 two-chat@1", "200 small-chat@1"]));
  const [stable, candidate] = (await report(edge, "two-chat")).arms;
  expect([stable?.errors?.value, candidate?.errors?.value]).toEqual([0, 1]);
});
