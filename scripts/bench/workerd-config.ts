import { readdirSync } from "node:fs";
import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { bundleDir, bundleEntry, configPath, type WorkerName } from "../edge/build.ts";

/**
 * Writes the configuration of a bare workerd. Why not Miniflare: it puts a Worker of its own in front of each Worker and
 * another one behind every `fetch`, which would cost both sides of a ratio the same and so flatter the slower one.
 */

/** A Worker as workerd is told of it; the pieces are Cap'n Proto text. */
export interface WorkerPart {
  readonly name: string;
  /** Whether it gets a socket of its own; the others can only be reached by their bindings. */
  readonly open: boolean;
  readonly definition: string;
}

const moduleKinds = [
  [".wasm", "wasm"],
  [".onnx", "data"],
] as const;

const kvName = "kv";
const bucketName = "bucket";

/** Cap'n Proto's strings escape as JSON's do. */
const text = (value: string) => JSON.stringify(value);

/**
 * A built Worker, with the bindings of its wrangler.jsonc and `vars` on top. Throws on a binding it does not know.
 *
 * @param dir where its bundle lies
 */
export function builtWorker(
  worker: WorkerName,
  vars: Readonly<Record<string, string>>,
  open: boolean,
  dir = bundleDir(worker),
): WorkerPart {
  const options = wranglerOptions(worker);
  const bindings: string[] = [];
  for (const [name, value] of Object.entries({ ...options.bindings, ...vars })) bindings.push(variable(name, value));
  for (const name of Object.keys(options.kvNamespaces ?? {}))
    bindings.push(`(name = ${text(name)}, kvNamespace = ${text(kvName)})`);
  for (const name of Object.keys(options.r2Buckets ?? {}))
    bindings.push(`(name = ${text(name)}, r2Bucket = ${text(bucketName)})`);
  for (const [name, service] of Object.entries(options.serviceBindings ?? {}))
    bindings.push(`(name = ${text(name)}, service = ${text(serviceName(service))})`);
  const namespaces: string[] = [];
  for (const [name, { className, scriptName }] of Object.entries(options.durableObjects ?? {})) {
    if (scriptName !== undefined) {
      const designator = `(className = ${text(className)}, serviceName = ${text(scriptName)})`;
      bindings.push(`(name = ${text(name)}, durableObjectNamespace = ${designator})`);
      continue;
    }
    bindings.push(objectBinding(name, className));
    namespaces.push(
      `(className = ${text(className)}, uniqueKey = ${text(`ledge-${className}`)}, enableSql = true, preventEviction = true)`,
    );
  }
  const definition = `
  modules = [${modulesIn(dir).join(", ")}],
  compatibilityDate = ${text(options.compatibilityDate)},
  compatibilityFlags = [${(options.compatibilityFlags ?? []).map(text).join(", ")}],
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),`;
  return { name: `ledge-${worker}`, open, definition };
}

/** A Worker of one module, under the gateway's compatibility date so that both run the same runtime. */
export function scriptWorker(name: string, source: string, bindings: readonly string[], open: boolean): WorkerPart {
  const definition = `
  modules = [(name = "index.js", esModule = ${text(source)})],
  compatibilityDate = ${text(wranglerOptions("gateway").compatibilityDate)},
  bindings = [${bindings.join(", ")}],`;
  return { name, open, definition };
}

/** The same, with a class of Durable Objects that store nothing, bound by `binding`. */
export function objectWorker(name: string, source: string, binding: string, className: string): WorkerPart {
  const { definition, ...part } = scriptWorker(name, source, [objectBinding(binding, className)], true);
  const namespace = `(className = ${text(className)}, uniqueKey = ${text(`${name}-${className}`)}, preventEviction = true)`;
  return {
    ...part,
    definition: `${definition}
  durableObjectNamespaces = [${namespace}],
  durableObjectStorage = (inMemory = void),`,
  };
}

function objectBinding(name: string, className: string): string {
  return `(name = ${text(name)}, durableObjectNamespace = ${text(className)})`;
}

export function variable(name: string, value: unknown): string {
  return typeof value === "string"
    ? `(name = ${text(name)}, text = ${text(value)})`
    : `(name = ${text(name)}, json = ${text(JSON.stringify(value))})`;
}

export function serviceBinding(name: string, service: string): string {
  return `(name = ${text(name)}, service = ${text(service)})`;
}

/** A store that holds nothing: no measured path reads it, and an uncached call may find it empty. */
const emptyStore = `export default { fetch: ({ method }) => new Response(null, { status: method === "GET" ? 404 : 200 }) };`;

/** A store that remembers kept answers, in place of the empty one: in memory, as KV at a place that has read them lately. */
export function answerStore(): WorkerPart {
  const source = `
const kept = new Map();
export default {
  async fetch(request) {
    const key = new URL(request.url).pathname;
    if (request.method === "PUT") kept.set(key, await request.arrayBuffer());
    if (request.method === "PUT") return new Response(null);
    const value = kept.get(key);
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};`;
  return scriptWorker(kvName, source, [], false);
}

/**
 * A store that knows API keys by their hashes: `PUT /` takes 32 bytes a key, and `key:<id>` is a record made when it is asked
 * for, so that a million keys are a million hashes.
 */
export function keyStore(): WorkerPart {
  const source = `
const kept = new Map();
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export default {
  async fetch(request) {
    if (request.method === "PUT" && new URL(request.url).pathname === "/") {
      const bytes = new Uint8Array(await request.arrayBuffer());
      for (let at = 0; at < bytes.length; at += 32) {
        const hash = hex(bytes.subarray(at, at + 32));
        kept.set(hash.slice(0, 24), hash);
      }
      return new Response(String(kept.size));
    }
    const id = decodeURIComponent(new URL(request.url).pathname).replace(/^.key:/, "");
    const hash = kept.get(id);
    if (hash === undefined) return new Response(null, { status: 404 });
    const scopes = [{ actions: ["infer"], models: ["*"] }];
    return new Response(JSON.stringify({ id, hash, tenant: "acme", name: "bench", scopes, createdAtMs: 0 }));
  },
};`;
  return scriptWorker(kvName, source, [], true);
}

/**
 * A bucket over the files of a directory, in the protocol that workerd speaks to R2: metadata as JSON, then the bytes. What is put
 * there lies there already, and is dropped.
 */
const bucketOfFiles = `
const missing = { "cf-r2-error": JSON.stringify({ version: 1, v4code: 10007, message: "no such object" }) };
const encoded = (object, size) =>
  new TextEncoder().encode(JSON.stringify({ name: object, version: "1", size, etag: "1", uploaded: "0", httpFields: {}, customFields: [], checksums: {} }));
const answer = (head, body = head) => new Response(body, { headers: { "cf-r2-metadata-size": String(head.length) } });
export default {
  async fetch(request, env) {
    if (request.method === "PUT") {
      const from = Number(request.headers.get("cf-r2-metadata-size"));
      const whole = await request.arrayBuffer();
      const { object } = JSON.parse(new TextDecoder().decode(whole.slice(0, from)));
      return answer(encoded(object, whole.byteLength - from));
    }
    const { method, object } = JSON.parse(request.headers.get("cf-r2-request") ?? "{}");
    const file = /^(?:get|head)$/.test(method) ? await env.FILES.fetch("http://files/" + object) : undefined;
    if (file?.status !== 200) return new Response(null, { status: 404, headers: missing });
    const size = Number(file.headers.get("content-length"));
    const head = encoded(object, size);
    if (method === "head") return answer(head);
    const { readable, writable } = new FixedLengthStream(head.length + size);
    const writer = writable.getWriter();
    const sent = writer.write(head).then(() => {
      writer.releaseLock();
      return file.body.pipeTo(writable);
    });
    sent.catch(() => undefined);
    return answer(head, readable);
  },
};`;

/** The whole configuration. `diskDir` takes the Durable Objects' files, and what the bucket holds under `bucket/`. */
export function workerdConfig(parts: readonly WorkerPart[], diskDir: string): string {
  const bucket = scriptWorker(bucketName, bucketOfFiles, [serviceBinding("FILES", "files")], false);
  const stores = parts.some(({ name }) => name === kvName) ? [] : [scriptWorker(kvName, emptyStore, [], false)];
  const all = [...parts, ...stores, bucket];
  const services = all.map((part) => `(name = ${text(part.name)}, worker = (${part.definition}))`);
  const open = parts.filter((part) => part.open).map(({ name }) => text(name));
  const sockets = open.map((name) => `(name = ${name}, address = "127.0.0.1:0", http = (), service = ${name})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
    (name = "disk", disk = (path = ${text(diskDir)}, writable = true)),
    (name = "files", disk = (path = ${text(join(diskDir, "bucket"))})),
  ],
  sockets = [${sockets.join(", ")}],
);
`;
}

function modulesIn(dir: string): string[] {
  const beside = readdirSync(dir).flatMap((file) => {
    const kind = moduleKinds.find(([ending]) => file.endsWith(ending))?.[1];
    return kind === undefined ? [] : [`(name = ${text(`./${file}`)}, ${kind} = embed ${text(join(dir, file))})`];
  });
  return [`(name = "index.js", esModule = embed ${text(bundleEntry(dir))})`, ...beside];
}

interface WranglerOptions {
  readonly compatibilityDate: string;
  readonly compatibilityFlags?: readonly string[];
  readonly bindings?: Readonly<Record<string, unknown>>;
  readonly kvNamespaces?: Readonly<Record<string, unknown>>;
  readonly r2Buckets?: Readonly<Record<string, unknown>>;
  readonly serviceBindings?: Readonly<Record<string, string | { readonly name: string }>>;
  readonly durableObjects?: Readonly<Record<string, { readonly className: string; readonly scriptName?: string }>>;
}

function serviceName(service: string | { readonly name: string }): string {
  return typeof service === "string" ? service : service.name;
}

/** Members of wrangler's options that this file writes, or that say how to find the source. */
const known = new Set([
  "bindings",
  "compatibilityFlags",
  "durableObjects",
  "kvNamespaces",
  "modulesRules",
  // The outer wall: without it a Worker has none, and load from this machine would not reach it.
  "ratelimits",
  "r2Buckets",
  "serviceBindings",
]);

function wranglerOptions(worker: WorkerName): WranglerOptions {
  const { log, info, warn } = console;
  // wrangler says on the console which secrets it misses; ours are given as `vars`.
  console.log = console.info = console.warn = () => undefined;
  try {
    const { workerOptions } = unstable_getMiniflareWorkerOptions(configPath(worker));
    const unknown = Object.entries(workerOptions).find(([name, value]) => !known.has(name) && holdsAnything(value));
    if (unknown !== undefined)
      throw new Error(`The ${worker} Worker binds '${unknown[0]}': teach scripts/bench/workerd-config.ts.`);
    return workerOptions as unknown as WranglerOptions;
  } finally {
    Object.assign(console, { log, info, warn });
  }
}

/** Whether an object or list has a leaf; wrangler lists every kind of binding, most of them empty. */
function holdsAnything(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some((member) => typeof member !== "object" || holdsAnything(member));
}
