import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { repoRoot } from "../repo.ts";

export interface StartOptions {
  readonly port: number;
  readonly originPort: number;
  readonly dataDir: string;
  readonly fresh: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `npm start -- [options]

Starts the Workers (gateway, operator, inference) in workerd, and the origin beside them, on this machine.

  --port N          where the edge listens (default 8787; 0 takes a free one)
  --origin-port N   where the origin listens (default 8788; 0 takes a free one)
  --data DIR        where state is kept: keys, cached answers, limits (default .ledge)
  --fresh           drop that state first
  --json            print one line of JSON on standard output when ready, and everything else on standard error
                    (npm prints a banner of its own before it: 'npm start --silent -- --json' leaves that out)
  --help            this text`;

/** Reads the command line. Throws an error with one sentence when it cannot be understood. */
export function readOptions(args: readonly string[]): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: "string", default: "8787" },
      "origin-port": { type: "string", default: "8788" },
      data: { type: "string", default: resolve(repoRoot, ".ledge") },
      fresh: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    port: portOf("--port", values.port),
    originPort: portOf("--origin-port", values["origin-port"]),
    dataDir: resolve(values.data),
    fresh: values.fresh,
    json: values.json,
    help: values.help,
  };
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535)
    throw new Error(`${name} takes a port from 0 to 65535, not '${text}'.`);
  return port;
}
