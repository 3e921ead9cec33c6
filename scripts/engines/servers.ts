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
} satisfies Readonly<Record<string, () => Promise<ServerCommand>>>;

export type ServerName = keyof typeof servers;

/** What `transformers serve` calls the model. */
export const tinyChatServed = tinyChat;

async function tensorServer(name: string): Promise<ServerCommand> {
  return {
    program: await venvOf(join(python, `${name}.txt`)),
    args: (http, grpc) => [join(python, `serve_${name}.py`), String(http), String(grpc)],
    readyPath: "/v2/models/pair/ready",
    startMsMax: 120_000,
  };
}
