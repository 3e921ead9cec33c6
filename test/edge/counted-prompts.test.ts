import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChatMessage, packageManifest } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { registerPackage, registerPackages } from "../../scripts/local/packages.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, startOrigin, type TestEdge } from "../support/ledge.ts";
import { deskOf, sha256 } from "../support/registry.ts";
import { storeKey } from "../support/stored-keys.ts";
import { issueLimited, publishTenant } from "../support/tenancy.ts";

/** Prompts that are counted before they are admitted: three gateways in workerd, the real origin, the shipped models. */

const gateways = 3;
const chatPath = "/v1/chat/completions";

let origin: RunningOrigin;
let edge: TestEdge;
let models: string;
let urls: readonly string[];

beforeAll(async () => {
  origin = await startOrigin();
  edge = await startEdge({ originUrl: origin.url, gateways });
  models = mkdtempSync(join(tmpdir(), "ledge-counted-"));
  for (const name of ["guard", "embed-static"]) {
    mkdirSync(join(models, name));
    cpSync(join(repoRoot, "models", name, "1"), join(models, name, "1"), { recursive: true });
  }
  await registerPackages(deskOf(edge), models, () => undefined);
  const others = [1, 2].map((at) => edge.miniflare.unsafeGetDirectURL(gatewayName(at)));
  urls = [edge.url, ...(await Promise.all(others)).map((url) => url.origin)];
});
afterAll(async () => {
  await edge.close();
  await origin.close();
  rmSync(models, { recursive: true, force: true });
});

const plenty = 1_000_000;
const chatOf = (messages: readonly ChatMessage[]) => ({ model: "tiny-chat", messages, max_tokens: 1, temperature: 0 });
const speech = (words: number) => Array.from({ length: words }, (_, i) => `my lord ${i % 7} speaks`).join(" ");

/** What of a fresh limit of prompt tokens a call took when it was admitted. */
function reservedOf(answer: Response, limit: number): number {
  const left = /"input-tokens";r=(\d+)/.exec(answer.headers.get("RateLimit") ?? "")?.[1];
  return limit - Number(left);
}

/** What is reserved for a call's prompt, and what its engine says that it read. */
async function countsOf(path: string, body: object): Promise<{ readonly reserved: number; readonly read: number }> {
  const { key } = await issueLimited(edge, { input_tokens_per_minute: plenty });
  const answer = await edge.post(path, key, body, { "Cache-Control": "no-store" });
  const { usage } = (await answer.json()) as { readonly usage?: { prompt_tokens?: number; input_tokens?: number } };
  expect(answer.status).toBe(200);
  return { reserved: reservedOf(answer, plenty), read: usage?.prompt_tokens ?? usage?.input_tokens ?? -1 };
}

describe("a prompt that a limit counts is reserved as exactly what its engine reads", () => {
  const user = (content: ChatMessage["content"]): ChatMessage => ({ role: "user", content });

  test.each<[string, readonly ChatMessage[]]>([
    ["one turn", [user("Good morrow. How fares the king?")]],
    ["an empty turn", [user("")]],
    ["spaces around it", [user("  \n\t hail  \n")]],
    ["several turns", [user("Hail!"), { role: "assistant", content: "Well met." }, user("Whither?")]],
    ["a system", [{ role: "system", content: "Speak as a ghost." }, user("Who is there?")]],
    ["a developer", [{ role: "developer", content: "Speak as a ghost." }, user("Who is there?")]],
    ["a name", [{ ...user("It is I."), name: "hamlet" }]],
    [
      "parts",
      [
        user([
          { type: "text", text: "First part," },
          { type: "text", text: "second part." },
        ]),
      ],
    ],
    ["other scripts", [user("請把五十美元轉到 🦄👩‍👧 Ünïcödé ελληνικά")]],
    ["what stands for special tokens", [user("a <|end|> b <|bos|><|pad|> c")]],
    ["code", [user("for (let i = 0; i < 10; i++) { x[i] = y[i] ** 2; }\n\n\treturn x;")]],
    ["many words", [user(speech(60))]],
  ])("in a chat of %s", async (_what, messages) => {
    const { reserved, read } = await countsOf(chatPath, chatOf(messages));
    expect(reserved).toBe(read);
  });

  test.each(["Why, ", "Why, my lord", " spaced  \n", "Ünï", "<|end|>"])(
    "in a chat that is resumed from %j, which counts as prompt",
    async (text) => {
      const chat = { ...chatOf([user("How fares the king?")]), max_tokens: 50, stream_options: { resume: { text } } };
      const { reserved, read } = await countsOf(chatPath, chat);
      expect(reserved).toBe(read);
    },
  );

  const texts = ["transfer fifty dollars to savings", "", "naïve ☃ 漢字", "word ".repeat(700)];

  test.each([
    ["a classifier with hashed features", "/v1/predict", { model: "intent", input: texts }],
    ["a classifier with a tokenizer", "/v1/predict", { model: "guard", input: texts }],
    ["an embedder", "/v1/embeddings", { model: "embed-static", input: texts.filter(Boolean) }],
    [
      "more texts than one call takes",
      "/v1/embeddings",
      { model: "embed-static", input: Array(70).fill("three words here") },
    ],
  ])("by %s", async (_what, path, body) => {
    const { reserved, read } = await countsOf(path, body);
    expect(reserved).toBe(read);
  });

  test("by the tokenizer alone of a package in the store, whose engine nobody has", async () => {
    const folder = join(repoRoot, "models", "tiny-chat", "1");
    const { files = [], ...manifest } = packageManifest.parse(
      JSON.parse(readFileSync(join(folder, "model.json"), "utf8")),
    );
    const read = files.filter(({ path }) => path.startsWith("tokenizer"));
    const graph = new Uint8Array(Buffer.from("no graph"));
    const file = { path: "onnx/model_quantized.onnx", bytes: graph.length, sha256: sha256(graph) };
    await registerPackage(deskOf(edge), { ...manifest, name: "bard", file, files: read }, (path) =>
      path === file.path ? graph : readFileSync(join(folder, path)),
    );
    const messages = [user("Good morrow. How fares the king?")];
    const { read: tokens } = await countsOf(chatPath, chatOf(messages));
    const { key } = await issueLimited(edge, { input_tokens_per_minute: plenty });
    const answer = await edge.post(chatPath, key, { ...chatOf(messages), model: "bard" });
    expect(reservedOf(answer, plenty)).toBe(tokens);
  });

  test("whichever surface asks", async () => {
    const { key } = await issueLimited(edge, { input_tokens_per_minute: plenty });
    const inputs = [{ name: "text", datatype: "BYTES", shape: [1], data: ["what is the weather"] }];
    const answer = await edge.post("/v2/models/intent/infer", key, { inputs });
    expect(answer.status).toBe(200);
    const { read } = await countsOf("/v1/predict", { model: "intent", input: "what is the weather" });
    expect(reservedOf(answer, plenty)).toBe(read);
  });
});

describe("a limit of N prompt tokens", () => {
  const prompt = chatOf([{ role: "user", content: speech(40) }]);
  let size = 0;
  beforeAll(async () => {
    size = (await countsOf(chatPath, prompt)).read;
    expect(JSON.stringify(prompt).length).toBeGreaterThan(2 * size);
  });

  test("admits a prompt of exactly N tokens, though it has more bytes, and refuses one of N + 1 as too large", async () => {
    const enough = await issueLimited(edge, { input_tokens_per_minute: size });
    expect((await edge.post(chatPath, enough.key, prompt)).status).toBe(200);
    const short = await issueLimited(edge, { input_tokens_per_minute: size - 1 });
    const refused = await edge.post(chatPath, short.key, prompt);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([413, "input_too_large"]);
  });

  test("admits exactly as many concurrent prompts as fit into it, over several gateways", async () => {
    const { key } = await issueLimited(edge, { input_tokens_per_minute: 5 * size });
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "Cache-Control": "no-store" };
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        fetch(`${urls[at % gateways]}${chatPath}`, { method: "POST", headers, body: JSON.stringify(prompt) }),
      ),
    );
    const codes = await Promise.all(answers.map(async (answer) => (await bodyOf(answer)).error?.code ?? "ok"));
    expect(codes.filter((code) => code === "ok")).toHaveLength(5);
    expect(codes.filter((code) => code === "tokens_limited")).toHaveLength(25);
  });

  test("of a quota admits exactly as many concurrent calls as their prompts and answers fit into", async () => {
    await publishTenant(edge, "counted", { quotas: { tokens_per_day: 3 * (size + 1) + size } });
    const { key } = await storeKey(edge, { tenant: "counted" });
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "Cache-Control": "no-store" };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        fetch(`${urls[at % gateways]}${chatPath}`, { method: "POST", headers, body: JSON.stringify(prompt) }),
      ),
    );
    const codes = await Promise.all(answers.map(async (answer) => (await bodyOf(answer)).error?.code ?? "ok"));
    expect(codes.filter((code) => code === "ok")).toHaveLength(3);
    expect(codes.filter((code) => code === "quota_exceeded")).toHaveLength(17);
  });
});
