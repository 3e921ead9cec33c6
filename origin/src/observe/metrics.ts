import { createServer, type Server } from "node:http";
import { added, type HistogramFigures } from "../batch/histogram.ts";
import { loadOf, type Registry, type Seat } from "../engines/registry.ts";

interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
}

const running: Metric = { name: "ledge_origin_running", type: "gauge", help: "Calls that an engine works on." };
const waiting: Metric = { name: "ledge_origin_waiting", type: "gauge", help: "Calls that wait for an engine." };
const pending: Metric = {
  name: "ledge_origin_models_pending",
  type: "gauge",
  help: "Models that are still being loaded.",
};
const batchRows: Metric = {
  name: "ledge_origin_batch_rows",
  type: "histogram",
  help: "Rows in a run that calls may share.",
};
const queueSeconds: Metric = {
  name: "ledge_origin_queue_seconds",
  type: "histogram",
  help: "Time that a call waited for such a run.",
};
const refused: Metric = {
  name: "ledge_origin_refused_total",
  type: "counter",
  help: "Calls that were refused such a run: too many waited, or the deadline could not be met.",
};

type Labels = string;
type Batched = Seat & Required<Pick<Seat, "batcher">>;

/**
 * The load of every engine in Prometheus' text format 0.0.4. What autoscaling follows: the queue tells a lack of replicas
 * before the answers get slow. The labels are models that are loaded, so there are no more of them than that.
 */
export function metricsText(registry: Registry): string {
  const seats = registry.seats().map((seat) => [labelsOf(seat), seat] as const);
  const batched = seats.filter((one): one is [Labels, Batched] => one[1].batcher !== undefined);
  const figures = batched.map(([labels, { batcher }]) => [labels, batcher.figures] as const);
  const histogramsOf = (pick: (of: (typeof figures)[number][1]) => HistogramFigures) =>
    figures.map(([labels, of]) => [labels, pick(of)] as const);
  const refusals = figures.flatMap(
    ([
      labels,
      {
        refused: { full, late },
      },
    ]) => [[`${labels},reason="full"`, full] as const, [`${labels},reason="late"`, late] as const],
  );
  return [
    ...numbers(
      running,
      seats.map(([labels, seat]) => [labels, loadOf(seat).running]),
    ),
    ...numbers(
      waiting,
      seats.map(([labels, seat]) => [labels, loadOf(seat).waiting]),
    ),
    ...numbers(pending, [["", registry.pending().length]]),
    ...(figures.length === 0
      ? []
      : [
          ...histograms(
            batchRows,
            histogramsOf(({ rows }) => rows),
          ),
          ...histograms(
            queueSeconds,
            histogramsOf(({ queueS }) => queueS),
          ),
          ...numbers(refused, refusals),
        ]),
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

function labelsOf({ engine: { model } }: Seat): Labels {
  return `model="${escaped(model.name)}",version="${escaped(model.version)}"`;
}

function numbers(metric: Metric, samples: readonly (readonly [Labels, number])[]): string[] {
  const all = mergedBy(samples, (a, b) => a + b);
  return [...headOf(metric), ...[...all].map(([labels, value]) => `${metric.name}${braced(labels)} ${value}`)];
}

function histograms(metric: Metric, samples: readonly (readonly [Labels, HistogramFigures])[]): string[] {
  const lines = [...mergedBy(samples, added)].flatMap(([labels, { bounds, counts, sum }]) => {
    let total = 0;
    const buckets = counts.map((count, at) => {
      total += count;
      return `${metric.name}_bucket{${labels},le="${bounds[at] ?? "+Inf"}"} ${total}`;
    });
    return [...buckets, `${metric.name}_sum{${labels}} ${sum}`, `${metric.name}_count{${labels}} ${total}`];
  });
  return [...headOf(metric), ...lines];
}

function headOf({ name, type, help }: Metric): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function braced(labels: Labels): string {
  return labels === "" ? "" : `{${labels}}`;
}

/** Two packages may bear one name and number; Prometheus refuses a page that says a series twice. */
function mergedBy<T>(samples: readonly (readonly [Labels, T])[], merge: (a: T, b: T) => T): ReadonlyMap<Labels, T> {
  const all = new Map<Labels, T>();
  for (const [labels, value] of samples) {
    const known = all.get(labels);
    all.set(labels, known === undefined ? value : merge(known, value));
  }
  return all;
}

function escaped(label: string): string {
  return label.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
