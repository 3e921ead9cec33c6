import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PackageManifest, packageDocument, packageManifest, parse } from "@ledge/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../scripts/local/port.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { bodyOf } from "../support/answer-body.ts";
import { originSecret, startEdge } from "../support/ledge.ts";
import { registerIntent } from "../support/registry.ts";
import { type Running, secret, startOrigin } from "./origin-process.ts";

const intentDir = join(repoRoot, "models", "intent", "1");

/** The shipped classifier as a registry would number it, under another licence so that it is a package of its own. */
function intentPackage() {
  const manifest = parse(packageManifest, JSON.parse(readFileSync(join(intentDir, "model.json"), "utf8")));
  if (!manifest.ok) throw new Error("the shipped package cannot be read");
  const fetched: PackageManifest = { ...manifest.value, licence: "for a test", tiers: ["origin"] };
  const document = packageDocument(fetched);
  const digest = createHash("sha256").update(document).digest("hex");
  const files = new Map([fetched.file, ...(fetched.files ?? [])].map(({ path, sha256 }) => [sha256, path]));
  return { document, digest, files };
}

const { document, digest, files } = intentPackage();

let dir: string;
let asked: string[];
let registry: Server;
/** What the registry does to a file's bytes on their way. */
let spoil: (bytes: Buffer) => Buffer;
let running: Running | undefined;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "ledge-fetch-"));
  asked = [];
  spoil = (bytes) => bytes;
  registry = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const file = files.get(path.replace("/admin/v1/blobs/", ""));
    if (request.headers.authorization !== `Bearer ${secret}`) response.writeHead(401).end();
    else if (path === `/admin/v1/packages/${digest}`) response.end(document);
    else if (file !== undefined) response.end(spoil(readFileSync(join(intentDir, file))));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await running?.origin.stop();
  running = undefined;
  registry.closeAllConnections();
  await new Promise((resolve) => registry.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<Running> {
  const { port } = registry.address() as AddressInfo;
  running = await startOrigin({ MODELS: "none", REGISTRY_URL: `http://127.0.0.1:${port}`, PACKAGES_DIR: dir });
  return running;
}

const json = { model: "intent", version: "7", digest, inputs: ["what is the weather"], topK: 1, logits: false };
const ask = (origin: Running, more: object = {}) => origin.call("/v1/predict", { json: { ...json, ...more } });

test("a registered package that the origin lacks is fetched when it is first asked for, once however many ask, and answers", async () => {
  const origin = await start();
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(origin)));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  const [first] = answers;
  expect(first?.headers.get("ledge-model")).toBe("intent@7");
  expect(await first?.json()).toMatchObject({ predictions: [{ label: "weather" }] });
  expect(asked.filter((path) => path.includes("/packages/"))).toHaveLength(1);
  expect(new Set(asked).size).toBe(asked.length);
});

test("fetched files are kept: after a restart none is fetched again", async () => {
  await ask(await start());
  await running?.origin.stop();
  asked = [];
  expect((await ask(await start())).status).toBe(200);
  expect(asked).toEqual([`/admin/v1/packages/${digest}`]);
});

test("a file that comes with other bytes, or too many, is not kept and not run; the next call tries again", async () => {
  const origin = await start();
  spoil = (bytes) => Buffer.concat([bytes.subarray(1), Buffer.from([0])]);
  const spoilt = await ask(origin);
  expect([spoilt.status, await spoilt.json()]).toMatchObject([503, { code: "model_not_ready" }]);
  spoil = (bytes) => Buffer.concat([bytes, bytes]);
  expect((await ask(origin)).status).toBe(503);
  expect(readdirSync(join(dir, "blobs"))).toEqual([]);
  spoil = (bytes) => bytes;
  expect((await ask(origin)).status).toBe(200);
});

test("a package that the registry does not have, and a registry that is down, are told apart", async () => {
  const origin = await start();
  const unknown = await ask(origin, { digest: "0".repeat(64) });
  expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: "model_not_found" }]);
  registry.closeAllConnections();
  await new Promise((resolve) => registry.close(resolve));
  expect((await ask(origin)).status).toBe(503);
});

test("a model that is for the origin only is registered at the edge and answered by an origin that fetches it from there", async () => {
  const port = await freePort(0, "--port");
  const env = {
    REGISTRY_URL: `http://127.0.0.1:${port}`,
    PACKAGES_DIR: dir,
    MODELS: "none",
    ORIGIN_SECRET: originSecret,
  };
  running = await startOrigin(env);
  const edge = await startEdge({ port, originUrl: running.url });
  try {
    const { version } = await registerIntent(edge, "for a test", "sorter", { tiers: ["origin"] });
    const { key } = await edge.issueKey();
    const answer = await edge.post("/v1/predict", key, { model: `sorter@${version}`, input: "what is the weather" });
    expect(answer.headers.get("ledge-tier")).toBe("origin");
    expect((await bodyOf(answer)).output.label).toBe("weather");
  } finally {
    await edge.close();
  }
});
