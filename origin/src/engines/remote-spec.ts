import * as z from "zod/mini";
import { readJsonSetting } from "../json-setting.ts";

const name = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "a model name: small letters, digits, '.', '_', '-'"));
const version = z._default(z.string().check(z.regex(/^[1-9][0-9]{0,8}$/, "a version: 1, 2, 3 …")), "1");
const servedName = z.optional(z.string().check(z.minLength(1), z.maxLength(256)));
const variable = z.optional(z.string().check(z.regex(/^[A-Z][A-Z0-9_]{0,99}$/, "the name of an environment variable")));

function address(schemes: readonly string[]) {
  const says = `an address that begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}, without credentials`;
  return z.string().check(
    z.maxLength(2048),
    z.refine(
      (text) => {
        if (!URL.canParse(text)) return false;
        const { protocol, username, password } = new URL(text);
        return schemes.includes(protocol) && username === "" && password === "";
      },
      { message: says },
    ),
  );
}

const limits = {
  /** Calls that the engine works on at once, of each model. */
  runningMax: z._default(z.int().check(z.gte(1), z.lte(100_000)), 64),
  /** Calls that may wait for it. */
  waitingMax: z._default(z.int().check(z.gte(0), z.lte(100_000)), 256),
  /** The largest answer that is read whole, bytes. */
  answerBytesMax: z._default(z.int().check(z.gte(1024), z.lte(1_073_741_824)), 67_108_864),
};

const openAiSpec = z.strictObject({
  kind: z.literal("openai"),
  /** What an OpenAI client is given as its base URL: most servers want `/v1` at its end. */
  url: address(["http:", "https:"]),
  /** The environment variable that holds the server's key; absent: none is sent. */
  keyVariable: variable,
  /** Where its Prometheus metrics are. Default: `/metrics` of the same host. */
  metricsUrl: z.optional(address(["http:", "https:"])),
  /** Whether it goes on with a last message of the assistant (`continue_final_message`), as vLLM and SGLang do. */
  resume: z._default(z.boolean(), false),
  /** For a server that is scaled down to nothing when nobody asks: how it is woken. */
  wake: z.optional(
    z.strictObject({
      /** What is asked to start it; absent: its first call does, as with Knative or Ray Serve. */
      url: z.optional(address(["http:", "https:"])),
      method: z._default(z.enum(["GET", "POST"]), "POST"),
      /** How long it takes to answer as a rule. */
      seconds: z._default(z.int().check(z.gte(1), z.lte(3_600)), 60),
      /** Without a `url`: after how long without an answer it may be asleep. */
      idleSeconds: z._default(z.int().check(z.gte(1), z.lte(86_400)), 300),
    }),
  ),
  models: z
    .array(
      z.strictObject({
        name,
        version,
        /** What the server calls it. Default: `name`. */
        servedName,
        task: z._default(z.enum(["chat", "embedding"]), "chat"),
      }),
    )
    .check(z.minLength(1), z.maxLength(1000)),
  ...limits,
});
export type OpenAiSpec = z.infer<typeof openAiSpec>;

const oipSpec = z.strictObject({
  kind: z.literal("oip"),
  /** What `/v2` follows, or for gRPC host and port: the scheme says which is spoken. */
  url: address(["http:", "https:", "grpc:", "grpcs:"]),
  keyVariable: variable,
  /** Whether tensors travel as bytes over REST. Default: where the server names the extension `binary_tensor_data`. */
  binary: z.optional(z.boolean()),
  models: z
    .array(
      z.strictObject({
        name,
        version,
        servedName,
        /** What the server calls the version. Default: none is named, and the server chooses. */
        servedVersion: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
      }),
    )
    .check(z.minLength(1), z.maxLength(1000)),
  ...limits,
});
export type OipSpec = z.infer<typeof oipSpec>;

const remoteSpecs = z.array(z.discriminatedUnion("kind", [openAiSpec, oipSpec])).check(z.maxLength(100));

/** An engine that is a server of its own, with its key, if it takes one. */
export type RemoteSpec = (OpenAiSpec | OipSpec) & { readonly key: string | undefined };

type Env = Readonly<Record<string, string | undefined>>;

const enginesSetting = {
  name: "ENGINES",
  opens: "[",
  wanted: "an array of engines, or to the path of a file that holds one",
  schema: remoteSpecs,
} as const;

/** Reads `ENGINES`: JSON, or the path of a file that holds it. Every fault goes into `faults`, a sentence that says what to type. */
export function readRemoteSpecs(env: Env, faults: string[]): readonly RemoteSpec[] {
  const specs = readJsonSetting(enginesSetting, env.ENGINES, faults) ?? [];
  sayDoubles(specs, faults);
  return specs.map((spec, at) => ({
    ...spec,
    url: spec.url.replace(/\/+$/, ""),
    key: keyOf(spec.keyVariable, at, env, faults),
  }));
}

function keyOf(name: string | undefined, at: number, env: Env, faults: string[]): string | undefined {
  if (name === undefined) return undefined;
  const key = env[name];
  if (!key) faults.push(`ENGINES at [${at}].keyVariable names ${name}, which is not set: set it to the engine's key.`);
  else if (!/^[\x21-\x7e]{1,4096}$/.test(key)) {
    faults.push(`${name}, which ENGINES names, holds more than printable ASCII: set it to the engine's key alone.`);
  }
  return key;
}

function sayDoubles(specs: z.infer<typeof remoteSpecs>, faults: string[]): void {
  const seen = new Set<string>();
  for (const { models } of specs) {
    for (const model of models) {
      const reference = `${model.name}@${model.version}`;
      if (seen.has(reference)) faults.push(`ENGINES has ${reference} twice: give one of them another version or name.`);
      seen.add(reference);
    }
  }
}
