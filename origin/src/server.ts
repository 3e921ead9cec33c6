import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "./app.ts";
import type { Config } from "./config.ts";
import { bringFrom } from "./engines/bring.ts";
import { Loader, loadEngines } from "./engines/load-engines.ts";
import { StartError } from "./engines/model-package.ts";
import { Registry } from "./engines/registry.ts";
import { Repository } from "./engines/repository.ts";
import { Journal } from "./observe/journal.ts";
import { logToStderr } from "./observe/log.ts";
import { metricsServer } from "./observe/metrics.ts";

export interface Origin {
  /** Where it listens, for example `http://127.0.0.1:8788`. */
  readonly url: string;
  /** Refuses new requests, lets running ones end for `drainMs`, calls the rest off, closes the engines. */
  stop(): Promise<void>;
}

/**
 * Listens, then loads every model and runs it once. It listens first so that a taken port is told at once and
 * `/healthz` and `/readyz` answer while models load. Throws {@link StartError}.
 */
export async function startOrigin(config: Config): Promise<Origin> {
  const registry = new Registry();
  registry.awaitNames();
  const loader = new Loader(config);
  registry.bringBy(bringFrom(config, registry, loader));
  const shutdown = new AbortController();
  const app = createApp({
    ...(config.journalDir === "" ? {} : { journal: new Journal(config.journalDir, Date.now()) }),
    config,
    registry,
    repository: new Repository(config, registry, loader),
    shutdown: shutdown.signal,
    nowMs: () => performance.timeOrigin + performance.now(),
    newId: () => randomUUID().replaceAll("-", ""),
    sink: logToStderr,
  });
  const server = createServer(app);
  // A body that trickles in may take no longer than the longest deadline.
  server.requestTimeout = config.timeoutMsMax;
  const metrics = config.metricsPort === 0 ? undefined : metricsServer(registry);
  const servers = metrics === undefined ? [server] : [server, metrics];
  let url: string;
  try {
    url = await listen(server, { setting: "PORT", port: config.port, host: config.host });
    if (metrics !== undefined)
      await listen(metrics, { setting: "METRICS_PORT", port: config.metricsPort, host: config.host });
    await loadEngines(config, registry, loader);
  } catch (error) {
    for (const each of servers) cut(each);
    // The threads of what was loaded would keep the process.
    await closeEngines(registry);
    throw error;
  }
  return {
    url,
    stop: async () => {
      await drain(server, shutdown, config.drainMs, registry);
      if (metrics !== undefined) cut(metrics);
    },
  };
}

function cut(server: Server): void {
  server.close();
  server.closeAllConnections();
}

interface Place {
  /** The variable that chose the port. */
  readonly setting: "PORT" | "METRICS_PORT";
  readonly port: number;
  readonly host: string;
}

async function listen(server: Server, place: Place): Promise<string> {
  try {
    server.listen(place.port, place.host);
    await once(server, "listening");
  } catch (error) {
    throw listenError(error, place);
  }
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function listenError(error: unknown, { setting, host, port }: Place): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${port} on ${host} is taken: set ${setting} to a free one or stop what listens there.`,
      );
    case "EACCES":
      return new StartError(`Port ${port} needs rights this process does not have: set ${setting} to 1024 or above.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new StartError(`This machine has no address '${host}': set HOST to one it has, for example 127.0.0.1.`);
    default:
      return error;
  }
}

async function drain(server: Server, shutdown: AbortController, drainMs: number, registry: Registry): Promise<void> {
  const closed = once(server, "close");
  // Who keeps a connection alive learns with its answer that the next call needs another one.
  server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
  server.close();
  // A connection kept alive by its client turns idle only when its answer is out.
  const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
  const callOff = setTimeout(() => shutdown.abort(), drainMs);
  // Readers that never take their last bytes must not keep the process.
  const cutOff = setTimeout(() => server.closeAllConnections(), drainMs + cutAfterMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(callOff);
  clearTimeout(cutOff);
  await closeEngines(registry);
}

async function closeEngines(registry: Registry): Promise<void> {
  await Promise.all(registry.seats().map(({ engine }) => engine.close()));
}

/** What a called-off stream gets to write its error event. */
const cutAfterMs = 1000;
const sweepMs = 50;
