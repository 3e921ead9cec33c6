import { createServer, type Server } from "node:http";
import type { Registry } from "../engines/registry.ts";

interface Gauge {
  readonly name: string;
  readonly help: string;
}

const running: Gauge = { name: "ledge_origin_running", help: "Calls that an engine works on." };
const waiting: Gauge = { name: "ledge_origin_waiting", help: "Calls that wait for an engine." };
const pending: Gauge = { name: "ledge_origin_models_pending", help: "Models that are still being loaded." };

/**
 * The load of every engine in Prometheus' text format 0.0.4. What autoscaling follows: the queue tells a lack of replicas
 * before the answers get slow.
 */
export function metricsText(registry: Registry): string {
  const seats = registry.seats().map(({ engine: { model }, gate }) => ({
    labels: `{model="${escaped(model.name)}",version="${escaped(model.version)}"}`,
    gate,
  }));
  return [
    ...family(running, mergedBy(seats.map(({ labels, gate }) => [labels, gate.running]))),
    ...family(waiting, mergedBy(seats.map(({ labels, gate }) => [labels, gate.waiting]))),
    ...family(pending, new Map([["", registry.pending().length]])),
    "",
  ].join("\n");
}

/**
 * Serves {@link metricsText} at `GET /metrics`, and nothing else. On a port of its own and without a secret: whoever may
 * scrape is said by the network, and does not learn the secret that opens the models.
 */
export function metricsServer(registry: Registry): Server {
  return createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(metricsText(registry));
  });
}

function family({ name, help }: Gauge, values: ReadonlyMap<string, number>): string[] {
  const samples = [...values].map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples];
}

/** Two packages may bear one name and number; Prometheus refuses a page that says a series twice. */
function mergedBy(samples: readonly (readonly [labels: string, value: number])[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [labels, value] of samples) sums.set(labels, (sums.get(labels) ?? 0) + value);
  return sums;
}

function escaped(label: string): string {
  return label.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
