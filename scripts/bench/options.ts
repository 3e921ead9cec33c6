import { parseArgs } from "node:util";

export const help = `npm run bench -- [options]

Builds the Workers, runs them on workerd, and measures them against bare ones. Takes about ten minutes.

  --quick        a run of half a minute that shows that everything works; its numbers mean little
  --only a,b     these parts only: hit, latency, proxy, stream, classify, identity, fairness, cache,
                 batching, batch, semantic-hit, semantic-index, limits, overhead, cold, memory
  --json FILE    also writes every round's numbers to FILE
  --profile DIR  writes CPU profiles of the gateway (cached hit, proxied chat) to DIR instead of measuring
  --no-build     takes the Workers as they were built last
  --help         this text

Ends with 0 when it could measure, aims met or not; with 1 when something did not work.`;

export const partNames = [
  "hit",
  "latency",
  "proxy",
  "stream",
  "classify",
  "identity",
  "fairness",
  "cache",
  "batching",
  "batch",
  "semantic-hit",
  "semantic-index",
  "limits",
  "overhead",
  "cold",
  "memory",
] as const;
export type PartName = (typeof partNames)[number];

export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly build: boolean;
  readonly only: readonly PartName[];
  readonly json?: string;
  readonly profile?: string;
}

/** Reads the command line. Throws a sentence that says what is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      json: { type: "string" },
      profile: { type: "string" },
      "no-build": { type: "boolean", default: false },
    },
  });
  return {
    help: values.help,
    quick: values.quick,
    build: !values["no-build"],
    only: values.only === undefined ? partNames : values.only.split(",").map(readPart),
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  };
}

function readPart(name: string): PartName {
  const part = partNames.find((known) => known === name.trim());
  if (part === undefined) throw new Error(`--only takes ${partNames.join(", ")}; '${name}' is none of them.`);
  return part;
}
