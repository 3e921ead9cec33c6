import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageManifest } from "@ledge/contract";
import { refOf } from "../../test/support/model-package.ts";
import { repoRoot } from "../repo.ts";
import { callerWorker, constantWorker, proxyWorker } from "./bare-workers.ts";
import { type Generator, startGenerator } from "./load/drive.ts";
import type { Job } from "./load/job.ts";
import { startTokenIssuer } from "./token-issuer.ts";
import { type RunningWorkerd, startWorkerd, type WorkerdOptions } from "./workerd.ts";
import { builtWorker, scriptWorker, serviceBinding, variable, type WorkerPart } from "./workerd-config.ts";

/** What surrounds the Workers while they are measured: an identity provider, an origin, a load generator. */
export interface World {
  readonly generator: Generator;
  readonly originUrl: string;
  /** Variables of the gateway and the operator Worker: everything on, the rate limit far away. */
  readonly vars: Readonly<Record<string, string>>;
  /** Of the identity Worker. */
  readonly identity: Readonly<Record<string, string>>;
  /** Another token of the identity provider that is good for an hour. */
  token(user: string): Promise<string>;
  /** What every measured request carries, bare or not, so that all read the same bytes. */
  readonly headers: Readonly<Record<string, string>>;
  /** The same from a user of another tenant. */
  headersOf(tenant: string): Promise<Readonly<Record<string, string>>>;
  close(): void;
}

/** The most the gateway takes: the limit is on and counts, and nothing of the bench ever meets it. */
const requestsPerMinute = 10_000_000;

/** What the API keys of the bench are hashed under. */
export const keyPepper = "bench-pepper-of-keys-of-no-use-elsewhere";

export const predictBody = JSON.stringify({
  model: "intent",
  input: "transfer fifty dollars from checking to savings",
});
/** The same for the inference Worker by RPC. */
const intent = packageManifest.parse(
  JSON.parse(readFileSync(join(repoRoot, "models", "intent", "1", "model.json"), "utf8")),
);
export const predictCall = {
  ...refOf(intent),
  inputs: [JSON.parse(predictBody).input],
  topK: 5,
  logits: false,
};
const chat = {
  model: "tiny-chat",
  messages: [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: "What news, good sir?" },
  ],
  max_tokens: 64,
};
/** No temperature: such an answer is not deterministic, so no cache may keep it. */
export const chatBody = JSON.stringify(chat);
export const chatStreamBody = JSON.stringify({ ...chat, stream: true });

export async function startWorld(): Promise<World> {
  const origin = fork(fileURLToPath(new URL("mock-origin.ts", import.meta.url)), { stdio: "inherit" });
  const originPort = await new Promise<number>((resolve, reject) => {
    origin.once("message", (port) => resolve(Number(port)));
    origin.once("exit", () => reject(new Error("the mock origin ended")));
  });
  const issuer = await startTokenIssuer();
  const generator = startGenerator();
  const originUrl = `http://127.0.0.1:${originPort}`;
  const headersOf = async (tenant: string) => {
    return { "Content-Type": "application/json", Authorization: `Bearer ${await issuer.token(tenant, "ann")}` };
  };
  return {
    generator,
    originUrl,
    vars: {
      ORIGIN_URL: originUrl,
      ORIGIN_SECRET: "bench-secret-of-no-use-elsewhere",
      CACHE_SECRET: "bench-secret-of-the-cache-of-no-use-elsewhere",
      KEY_PEPPER: keyPepper,
      ADMIN_KEY_HASH: "0".repeat(64),
      REQUESTS_PER_MINUTE_DEFAULT: String(requestsPerMinute),
    },
    identity: {
      ISSUERS: JSON.stringify([
        { name: "bench", issuer: issuer.issuer, audiences: [issuer.audience], jwks_url: issuer.jwksUrl },
      ]),
      PRIVATE_ISSUERS: "allow",
    },
    token: (user) => issuer.token("acme", user),
    headers: await headersOf("acme"),
    headersOf,
    close: () => {
      generator.close();
      origin.kill();
      issuer.close();
    },
  };
}

/** All Workers in one workerd, each on a socket of its own: what is measured is asked there, with nothing in front. */
export function startWorkers(world: World, options: WorkerdOptions = {}): Promise<RunningWorkerd> {
  const parts: WorkerPart[] = [
    builtWorker("gateway", world.vars, true),
    builtWorker("operator", world.vars, false),
    builtWorker("identity", world.identity, false),
    builtWorker("meter", {}, false),
    builtWorker("semantic", {}, false),
    builtWorker("dispatch", world.vars, false),
    builtWorker("jobs", { JOBS_SECRET: "bench-secret-of-jobs-of-no-use-elsewhere" }, false),
    builtWorker("inference", {}, false),
    scriptWorker("constant", constantWorker, [], true),
    scriptWorker("proxy", proxyWorker, [variable("ORIGIN_URL", world.originUrl)], true),
    scriptWorker("caller", callerWorker, [serviceBinding("INFERENCE", "ledge-inference")], true),
  ];
  return startWorkerd(parts, options);
}

type Target = Omit<Job, "seconds" | "connections">;

/** What the measured requests are. The expectations hold for every single answer. */
export function targetsOf(world: World, workerd: RunningWorkerd) {
  const { headers } = world;
  const gateway = workerd.url("ledge-gateway");
  const proxy = workerd.url("proxy");
  const chatPath = "/v1/chat/completions";
  const limited = "\r\nratelimit: ";
  const forwarded = "\r\ncache-status: ledge; fwd=";
  return {
    constant: { url: `${workerd.url("constant")}/v1/predict`, headers, body: predictBody, expect: [] },
    hit: {
      url: `${gateway}/v1/predict`,
      headers,
      body: predictBody,
      expect: ["\r\ncache-status: ledge; hit", limited],
    },
    proxy: { url: proxy + chatPath, headers, body: chatBody, expect: [] },
    chat: { url: gateway + chatPath, headers, body: chatBody, expect: [forwarded, limited] },
    proxyStream: { url: proxy + chatPath, headers, body: chatStreamBody, expect: ["event-stream"] },
    chatStream: {
      url: gateway + chatPath,
      headers,
      body: chatStreamBody,
      expect: ["event-stream", forwarded, limited],
    },
    origin: { url: world.originUrl + chatPath, headers, body: chatBody, expect: [] },
    classify: {
      url: `${gateway}/v1/predict`,
      headers: { ...headers, "Cache-Control": "no-store" },
      body: predictBody,
      expect: [forwarded, limited, "\r\nledge-tier: edge"],
    },
  } as const satisfies Record<string, Target>;
}

/** Asks once, outside any measurement. Throws when the answer is not 200. */
export async function askOnce({ url, headers, body }: Target, method = "POST"): Promise<string> {
  const response = await fetch(url, { method, headers, body });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`);
  return text;
}

/** Fills the gateway's cache and gives the constant Worker an answer of the same length. */
export async function prime({ hit, constant }: ReturnType<typeof targetsOf>): Promise<void> {
  await askOnce(hit);
  const answer = await askOnce(hit);
  await askOnce({ ...constant, body: answer }, "PUT");
}
