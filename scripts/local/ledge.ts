import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildWorkers } from "../edge/build.ts";
import { type RunningEdge, runEdge } from "../edge/run.ts";
import { repoRoot } from "../repo.ts";
import { type RunningOrigin, runOrigin } from "./origin.ts";
import { registerPackages } from "./packages.ts";
import { freePort } from "./port.ts";
import { dropState, edgeDir, journalDir, type LocalSecrets, openSecrets, originDir, saveSecrets } from "./state.ts";

export interface LedgeOptions {
  readonly port: number;
  readonly originPort: number;
  readonly dataDir: string;
  readonly fresh: boolean;
  /** Progress and log lines. */
  readonly say: (line: string) => void;
}

export interface RunningLedge {
  readonly edge: string;
  readonly origin: string;
  readonly key: string;
  readonly adminKey: string;
  /** Resolves when the origin has ended by itself. */
  readonly originEnded: Promise<number | null>;
  close(): Promise<void>;
}

const needed = ["models/intent/1/model.onnx", "models/tiny-chat/1/onnx/model_quantized.onnx", "origin/src/index.ts"];
const demoRequestsPerMinute = 600;

/** Builds and starts everything. Throws one sentence that says what to do; nothing it started is left running then. */
export async function startLedge(options: LedgeOptions): Promise<RunningLedge> {
  const { dataDir, say } = options;
  requireFiles(repoRoot);
  const port = await freePort(options.port, "--port");
  const originPort = await freePort(options.originPort, "--origin-port");
  if (options.fresh) dropState(dataDir);
  const secrets = openSecrets(dataDir);
  saveSecrets(dataDir, secrets);

  let origin: RunningOrigin | undefined;
  let edge: RunningEdge | undefined;
  const close = async () => {
    await Promise.allSettled([edge?.close(), origin?.close()]);
  };
  try {
    say("Starting the origin and building the Workers …");
    [origin] = await bothOrNeither(
      runOrigin({
        port: originPort,
        secret: secrets.originSecret,
        env: {
          REGISTRY_URL: `http://127.0.0.1:${port}`,
          PACKAGES_DIR: originDir(dataDir),
          JOURNAL_DIR: journalDir(dataDir),
        },
        onLog: (line) => say(`origin   ${line}`),
      }),
      buildWorkers(),
    );
    say("Starting the edge …");
    edge = await runEdge({
      port,
      dataDir: edgeDir(dataDir),
      vars: varsOf(secrets, origin.url),
      onLog: (_level, message) => say(`edge     ${message}`),
    });
    say("Loading the models …");
    await fetch(`${edge.url}/readyz`);
    const desk = { edge: edge.url, adminKey: secrets.adminKey };
    await registerPackages(desk, join(repoRoot, "models"), (line) => say(`models   ${line}`));
    const key = await demoKey(edge.url, secrets.adminKey, secrets.demoKey);
    saveSecrets(dataDir, { ...secrets, demoKey: key });
    return { edge: edge.url, origin: origin.url, key, adminKey: secrets.adminKey, originEnded: origin.ended, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function varsOf(secrets: LocalSecrets, originUrl: string) {
  const { originSecret, keyPepper, cacheSecret, jobsSecret, adminKey } = secrets;
  const both = { KEY_PEPPER: keyPepper, LOG: "all" };
  const origin = { ORIGIN_URL: originUrl, ORIGIN_SECRET: originSecret };
  return {
    gateway: { ...both, CACHE_SECRET: cacheSecret },
    dispatch: origin,
    jobs: { JOBS_SECRET: jobsSecret },
    operator: { ...both, ...origin, ADMIN_KEY_HASH: createHash("sha256").update(adminKey).digest("hex") },
  };
}

/** Throws one sentence when the checkout lacks something without which nothing starts. */
export function requireFiles(root: string): void {
  const missing = needed.filter((file) => !existsSync(join(root, file)));
  if (missing.length === 0) return;
  const files = missing.join(" ");
  throw new Error(`Missing from this checkout: ${files}. Run 'git checkout -- ${files}' in it.`);
}

/** Waits for both; when one fails, the origin that may have started is ended before the error goes on. */
async function bothOrNeither<T>(origin: Promise<RunningOrigin>, other: Promise<T>): Promise<[RunningOrigin, T]> {
  const [started, done] = await Promise.allSettled([origin, other]);
  if (started.status === "rejected") throw started.reason;
  if (done.status === "rejected") {
    await started.value.close();
    throw done.reason;
  }
  return [started.value, done.value];
}

/** The demo key of an earlier start while it still opens the door, or a new one from the operator's API. */
async function demoKey(edge: string, adminKey: string, known: string | undefined): Promise<string> {
  if (known !== undefined) {
    const look = await fetch(`${edge}/v1/models`, { headers: { Authorization: `Bearer ${known}` } });
    if (look.status !== 401) return known;
  }
  const issued = await fetch(`${edge}/admin/v1/keys`, {
    method: "POST",
    headers: { Authorization: `Bearer ${adminKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ tenant: "demo", name: "demo", requests_per_minute: demoRequestsPerMinute }),
  });
  if (!issued.ok) throw new Error(`The edge did not issue a demo key (status ${issued.status}): start with --fresh.`);
  return ((await issued.json()) as { key: string }).key;
}
