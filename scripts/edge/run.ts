import { readdirSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { bundleDir, bundleEntry, configPath, type WorkerName, workers } from "./build.ts";

export interface EdgeOptions {
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Where KV and Durable Objects are kept. Default: nowhere, gone with the process. */
  readonly dataDir?: string;
  /** Variables and secrets on top of each Worker's wrangler.jsonc. */
  readonly vars?: Readonly<Partial<Record<WorkerName, Readonly<Record<string, string>>>>>;
  /** What a Worker writes on its console. Default: dropped. */
  readonly onLog?: (level: string, message: string) => void;
  /** The source of a module that stands in for a Worker: how tests break one. */
  readonly standIns?: Readonly<Partial<Record<WorkerName, string>>>;
  /**
   * Gateways, each an isolate of its own, over the same KV, R2 and Durable Objects, as two places of an edge are. Default 1.
   * {@link gatewayName} names the others to `miniflare.getWorker`, and to `miniflare.unsafeGetDirectURL` for their own ports.
   */
  readonly gateways?: number;
  /** Bindings of services that the gateway is deployed without. */
  readonly unbound?: readonly string[];
  /** Where another bundle of a Worker lies: how tests add what breaks it. */
  readonly bundles?: Readonly<Partial<Record<WorkerName, string>>>;
}

/** `index` counts from 0; that one listens on the port. */
export function gatewayName(index: number): string {
  return index === 0 ? "ledge-gateway" : `ledge-gateway-${index + 1}`;
}

export interface RunningEdge {
  readonly url: string;
  readonly miniflare: Miniflare;
  close(): Promise<void>;
}

const moduleTypes = [
  [".wasm", "CompiledWasm"],
  [".onnx", "Data"],
  [".bin", "Data"],
  [".txt", "Text"],
] as const;

/**
 * Starts the built Workers in one workerd, straight on Miniflare: `wrangler dev` would put a proxy of 8 ms in front.
 * Throws when the port is taken or a bundle is missing.
 */
export async function runEdge(options: EdgeOptions = {}): Promise<RunningEdge> {
  const { dataDir, onLog } = options;
  const miniflare = withoutSignalHandlers(
    () =>
      new Miniflare(
        convertV4MiniflareOptions({
          host: options.host ?? "127.0.0.1",
          port: options.port ?? 0,
          cf: false,
          logRequests: false,
          handleStructuredLogs: ({ level, message }) => onLog?.(level, message),
          ...(dataDir === undefined ? {} : { resourcePersistencePath: dataDir }),
          workers: workersOf(options),
        }),
      ),
  );
  try {
    const url = await miniflare.ready;
    return { url: url.origin, miniflare, close: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose().catch(() => undefined);
    throw error;
  }
}

function workersOf({ vars, standIns, bundles, unbound = [], gateways = 1 }: EdgeOptions): V4WorkerOptions[] {
  const all = workers.map((worker) => {
    return workerOptions(worker, vars?.[worker] ?? {}, bundles?.[worker] ?? bundleDir(worker), standIns?.[worker]);
  });
  const [gateway] = all;
  if (gateway === undefined) return all;
  for (const name of unbound) delete gateway.serviceBindings?.[name];
  const others = Array.from({ length: gateways - 1 }, (_, i) => anotherGateway(gateway, gatewayName(i + 1)));
  return [...all, ...others];
}

/** The same Worker again, which reaches the first one's Durable Objects. */
function anotherGateway(gateway: V4WorkerOptions, name: string): V4WorkerOptions {
  const objects = Object.entries(gateway.durableObjects ?? {}).map(([binding, object]) => {
    const own = typeof object === "string" ? { className: object } : object;
    return [binding, { ...own, scriptName: own.scriptName ?? gatewayName(0) }] as const;
  });
  const sockets = { unsafeDirectSockets: [{ port: 0 }] };
  return { ...gateway, ...sockets, name, durableObjects: Object.fromEntries(objects) } as V4WorkerOptions;
}

function workerOptions(
  worker: WorkerName,
  vars: Readonly<Record<string, string>>,
  bundle: string,
  standIn?: string,
): V4WorkerOptions {
  const { workerOptions: options } = quietly(() => unstable_getMiniflareWorkerOptions(configPath(worker)));
  // The rules tell how to find modules; the bundle's are listed, so nothing has to be found.
  const {
    modulesRules: _rules,
    bindings,
    ...rest
  } = options as Omit<typeof options, "bindings"> & { bindings?: object };
  const source =
    standIn === undefined
      ? { modulesRoot: bundle, modules: modulesIn(bundle) }
      : { modules: [{ type: "ESModule" as const, path: "stand-in.js", contents: standIn }] };
  return { ...rest, name: `ledge-${worker}`, bindings: { ...bindings, ...vars }, ...source } as V4WorkerOptions;
}

/** The bundle's entry first, then what it imports as files. */
function modulesIn(dir: string) {
  const files = readdirSync(dir).filter((file) => moduleTypes.some(([ending]) => file.endsWith(ending)));
  const beside = files.map((file) => {
    const type = moduleTypes.find(([ending]) => file.endsWith(ending))?.[1] ?? "Data";
    return { type, path: join(dir, file) };
  });
  return [{ type: "ESModule" as const, path: bundleEntry(dir) }, ...beside];
}

/**
 * wrangler says on the console which secrets it sees and misses; ours are given as `vars`, so that would mislead, and
 * standard output belongs to whoever called us.
 */
function quietly<T>(work: () => T): T {
  const { log, info, warn } = console;
  console.log = console.info = console.warn = () => undefined;
  try {
    return work();
  } finally {
    Object.assign(console, { log, info, warn });
  }
}

/**
 * Miniflare ends the process at the first signal, before anything else can be closed. What a signal means is for whoever
 * started the edge to say; Miniflare still ends workerd when the process exits.
 */
function withoutSignalHandlers<T>(work: () => T): T {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  try {
    return work();
  } finally {
    for (const [i, signal] of signals.entries()) {
      for (const listener of process.listeners(signal)) {
        if (before[i]?.includes(listener) !== true) process.removeListener(signal, listener);
      }
    }
  }
}
