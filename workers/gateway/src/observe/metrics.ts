import type { BlockCounts, ModelTally, VersionTally } from "@ledge/contract";
import { cacheEventNames, emptyVersionTally } from "@ledge/policy";
import type { Reply } from "../reply.ts";

/** A version and what was counted of its model. */
export interface MeasuredVersion {
  readonly name: string;
  readonly version: string;
  readonly tally: ModelTally;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly value: (tally: VersionTally) => number;
}

const microseconds = ({ ns }: { readonly ns: number }) => Math.floor(ns / 1000);

/** Under Triton's names, so that its dashboards and alerts work. */
const counters: readonly Metric[] = [
  metric("nv_inference_request_success", "Successful calls, cached ones included", (t) => t.success.count),
  metric("nv_inference_count", "Rows answered by a run of the graph", (t) => t.inferenceCount),
  metric("nv_inference_exec_count", "Runs of the graph", (t) => t.executionCount),
  metric("nv_inference_request_duration_us", "Microseconds of successful calls, cached ones included", (t) =>
    microseconds(t.success),
  ),
  metric("nv_inference_queue_duration_us", "Microseconds of waiting, cached calls included", (t) =>
    microseconds(t.queue),
  ),
  metric("nv_inference_compute_input_duration_us", "Microseconds before the graph", (t) =>
    microseconds(t.computeInput),
  ),
  metric("nv_inference_compute_infer_duration_us", "Microseconds in the graph", (t) => microseconds(t.computeInfer)),
  metric("nv_inference_compute_output_duration_us", "Microseconds after the graph", (t) =>
    microseconds(t.computeOutput),
  ),
  metric("nv_cache_num_hits_per_model", "Calls answered from the cache", (t) => t.cacheHit.count),
  metric("nv_cache_num_misses_per_model", "Calls the cache had no answer for", (t) => t.cacheMiss.count),
  metric("nv_cache_hit_duration_per_model", "Microseconds of calls answered from the cache", (t) =>
    microseconds(t.cacheHit),
  ),
  metric("nv_cache_miss_duration_per_model", "Microseconds of looking up and storing", (t) =>
    microseconds(t.cacheMiss),
  ),
];

function metric(name: string, help: string, value: Metric["value"]): Metric {
  return { name, help, value };
}

const failure = "nv_inference_request_failure";
/** Ledge's own: Triton has no such thing. */
const cacheEvent = "ledge_cache_events_total";
/** Triton's reasons; like every counter, each is there from the start, at 0, so that a rate over it has a beginning. */
const reasons = ["REJECTED", "CANCELED", "BACKEND", "OTHER"] as const;

/** `GET /metrics`: Prometheus text, version 0.0.4, under the labels of Triton's metrics. Never a tenant, never a key. */
export function presentMetrics(measured: readonly MeasuredVersion[], blocks: BlockCounts): Reply {
  const versions = measured.map(({ name, version, tally }) => {
    // Names and versions are plain by their schemas: nothing in them needs escaping.
    return { labels: `model="${name}",version="${version}"`, counts: tally.versions[version] ?? emptyVersionTally };
  });
  const parts = counters.map(({ name, help, value }) =>
    family(
      name,
      help,
      versions.map(({ labels, counts }) => `${name}{${labels}} ${value(counts)}`),
    ),
  );
  const failures = versions.flatMap(({ labels, counts }) =>
    reasons.map((reason) => `${failure}{${labels},reason="${reason}"} ${counts.failures[reason] ?? 0}`),
  );
  const cache = versions.flatMap(({ labels, counts }) =>
    cacheEventNames.map((event) => `${cacheEvent}{${labels},event="${event}"} ${counts.cache?.[event] ?? 0}`),
  );
  const body = [
    ...parts,
    family(failure, "Failed calls", failures),
    family(cacheEvent, "What the answer cache did", cache),
    ...blockFamilies(blocks),
  ].join("");
  return { status: 200, body, headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" } };
}

function blockFamilies({ addresses, callers, active }: BlockCounts): readonly string[] {
  const of = (name: string, value: number) => `ledge_blocks_total{of="${name}"} ${value}`;
  return [
    family("ledge_blocks_total", "Blocks of bad callers", [of("address", addresses), of("caller", callers)]),
    family("ledge_blocks_active", "Blocks that last now", [`ledge_blocks_active ${active}`], "gauge"),
  ];
}

function family(name: string, help: string, samples: readonly string[], type = "counter"): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => `${sample}\n`).join("")}`;
}
