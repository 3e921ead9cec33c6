import { createHash } from "node:crypto";
import { type EdgeOptions, type RunningEdge, runEdge } from "../../scripts/edge/run.ts";
import { type RunningOrigin, runOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "./answer-body.ts";

export const adminKey = "an-operator's-key-for-tests";
export const originSecret = "a-secret-between-edge-and-origin";
export const cacheSecret = "a-secret-that-seals-kept-answers-in-tests";

export const jobsSecret = "a-secret-that-seals-kept-calls-in-tests";
export const keyPepper = "a-pepper-that-keys-are-hashed-under-in-tests";

/** An address where nothing listens: port 1 of this machine. */
export const nowhere = "http://127.0.0.1:1";

export interface TestEdge extends RunningEdge {
  /** What the Workers wrote on their consoles. */
  readonly logs: string[];
  issueKey(fields?: { tenant?: string; requests_per_minute?: number }): Promise<{ id: string; key: string }>;
  /** A call with a JSON body and a key. */
  post(path: string, key: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  get(path: string, key?: string): Promise<Response>;
}

/**
 * The built Workers with test secrets; `originUrl` defaults to nowhere. `gateway` are variables of the gateway and of the
 * operator Worker, `operator` of that one alone.
 */
export async function startEdge(
  options: {
    readonly originUrl?: string;
    readonly gateway?: Readonly<Record<string, string>>;
    readonly operator?: Readonly<Record<string, string>>;
    readonly inference?: Readonly<Record<string, string>>;
    readonly identity?: Readonly<Record<string, string>>;
    readonly dispatch?: Readonly<Record<string, string>>;
    readonly jobs?: Readonly<Record<string, string>>;
  } & Pick<EdgeOptions, "standIns" | "bundles" | "unbound" | "dataDir" | "gateways" | "port"> = {},
): Promise<TestEdge> {
  const logs: string[] = [];
  const secrets = new Set([adminKey, originSecret, cacheSecret, keyPepper, jobsSecret]);
  const { originUrl = nowhere, gateway, operator, inference, identity, dispatch, jobs, ...rest } = options;
  const adminKeyHash = createHash("sha256").update(adminKey).digest("hex");
  const both = { KEY_PEPPER: keyPepper, LOG: "all" };
  const origin = { ORIGIN_URL: originUrl, ORIGIN_SECRET: originSecret };
  const vars = {
    gateway: { ...both, CACHE_SECRET: cacheSecret, ...gateway },
    operator: { ...both, ...origin, ADMIN_KEY_HASH: adminKeyHash, ...gateway, ...operator },
    dispatch: { ...origin, ...dispatch },
    jobs: { JOBS_SECRET: jobsSecret, ...jobs },
    ...(inference === undefined ? {} : { inference }),
    ...(identity === undefined ? {} : { identity }),
  };
  const edge = await runEdge({ ...rest, vars, onLog: (_level, message) => logs.push(message) });
  const post: TestEdge["post"] = (path, key, body, headers = {}) =>
    fetch(edge.url + path, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const get: TestEdge["get"] = (path, key) =>
    fetch(edge.url + path, key === undefined ? {} : { headers: { Authorization: `Bearer ${key}` } });
  const issueKey: TestEdge["issueKey"] = async (fields = {}) => {
    const body = { tenant: "acme", name: "test", requests_per_minute: 1_000_000, ...fields };
    const answer = await post("/admin/v1/keys", adminKey, body);
    if (!answer.ok) throw new Error(`no key: ${answer.status} ${await answer.text()}`);
    const issued = (await answer.json()) as { id: string; key: string };
    secrets.add(issued.key);
    return issued;
  };
  const close = async () => {
    await edge.close();
    tellNoSecrets(logs, secrets);
  };
  return { ...edge, logs, post, get, issueKey, close };
}

/** Whatever a test does: no secret of the deployment's and no key that was issued is on a console. Throws with the line. */
export function tellNoSecrets(logs: readonly string[], secrets: Iterable<string>): void {
  for (const secret of secrets) {
    const line = logs.find((one) => one.includes(secret));
    if (line !== undefined) throw new Error(`a secret is in a log line: ${line}`);
  }
}

/** The real origin process with the models it ships. */
export function startOrigin(env: Readonly<Record<string, string>> = {}): Promise<RunningOrigin> {
  return runOrigin({ port: 0, secret: originSecret, env: { DRAIN_MS: "200", ...env } });
}

/** The real origin process, with a scripted engine in place of the language model. */
export function startFakeOrigin(
  script: Readonly<Record<string, unknown>> = {},
  models = "none",
  env: Readonly<Record<string, string>> = {},
): Promise<RunningOrigin> {
  return startOrigin({ ...env, MODELS: models, FAKE_MODELS: JSON.stringify([{ name: "tiny-chat", ...script }]) });
}

/** Waits until `met` says so, looking every few milliseconds; fails after five seconds, or `withinMs`, with `what`. */
export async function until(what: string, met: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!(await met())) {
    if (Date.now() > endMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What the model list answers to a credential: 200, or the status and code of the refusal. */
export async function answerTo(edge: TestEdge, credential: string): Promise<{ status: number; code?: string }> {
  const answer = await edge.get("/v1/models", credential);
  const body = await bodyOf(answer);
  return answer.status === 200 ? { status: 200 } : { status: answer.status, code: body.error.code };
}
