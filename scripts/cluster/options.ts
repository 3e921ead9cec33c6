import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { repoRoot } from "../repo.ts";

export interface Options {
  readonly verb: "start" | "stop";
  readonly port: number;
  readonly dashboard: boolean;
  readonly help: boolean;
  readonly name: string;
  readonly model: string;
  /** Processes that a replica has: they split every layer, or stack the layers. */
  readonly tensor: number;
  readonly pipeline: number;
  readonly replicas: number;
  readonly idleS: number;
}

export const usage = `npm run cluster -- [stop] [options]

Starts two Ray nodes on this machine, splits a language model over processes of both, and serves it with OpenAI's API. Run it
again to change what is served; 'stop' ends what it started. It needs Linux and python3 with venv and pip, and fetches some
gigabytes of Python packages the first time.

  --port N       where the API listens on 127.0.0.1 (default 8790)
  --model DIR    a model in Hugging Face's form (default models/tiny-chat/1)
  --name NAME    what callers ask for (default tiny-chat)
  --tensor N     split every layer over N processes (default 2)
  --pipeline N   stack the layers over N processes, in place of --tensor
  --replicas N   replicas under load, at most (default 2); none while nobody calls
  --idle S       seconds without a call after which replicas go (default 300)
  --dashboard    Ray's dashboard, on 127.0.0.1
  --help         this text`;

/** Reads the command line. Throws an error with one sentence when it cannot be understood. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: "string", default: "8790" },
      model: { type: "string", default: resolve(repoRoot, "models", "tiny-chat", "1") },
      name: { type: "string", default: "tiny-chat" },
      tensor: { type: "string" },
      pipeline: { type: "string" },
      replicas: { type: "string", default: "2" },
      idle: { type: "string", default: "300" },
      dashboard: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [verb = "start", ...more] = positionals;
  if ((verb !== "start" && verb !== "stop") || more.length > 0)
    throw new Error(`'${positionals.join(" ")}' is neither 'start' nor 'stop'.`);
  if (values.tensor !== undefined && values.pipeline !== undefined)
    throw new Error("--tensor and --pipeline exclude each other here: leave one out.");
  const pipeline = values.pipeline === undefined ? 1 : whole("--pipeline", values.pipeline, 2, 16);
  return {
    verb,
    port: whole("--port", values.port, 1, 65_535),
    dashboard: values.dashboard,
    help: values.help,
    name: values.name,
    model: resolve(values.model),
    tensor: pipeline > 1 ? 1 : whole("--tensor", values.tensor ?? "2", 2, 16),
    pipeline,
    replicas: whole("--replicas", values.replicas, 1, 16),
    idleS: whole("--idle", values.idle, 1, 86_400),
  };
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || value < min || value > max)
    throw new Error(`${name} takes a whole number from ${min} to ${max}, not '${text}'.`);
  return value;
}
