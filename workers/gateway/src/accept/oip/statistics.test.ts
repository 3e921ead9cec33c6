import type { ModelTally } from "@ledge/contract";
import { emptyVersionTally } from "@ledge/policy";
import { expect, test } from "vitest";
import { presentMetrics } from "../../observe/metrics.ts";
import { presentStatistics } from "./statistics.ts";

const run = {
  computeInput: { count: 1, ns: 1 },
  computeInfer: { count: 1, ns: 2 },
  computeOutput: { count: 1, ns: 3 },
};
const tally: ModelTally = {
  versions: {
    "2": {
      ...emptyVersionTally,
      lastInferenceMs: 5,
      inferenceCount: 3,
      executionCount: 2,
      success: { count: 4, ns: 4_000_999 },
      cacheHit: { count: 1, ns: 7 },
      batches: { "10": run, "2": run },
      failures: { REJECTED: 1 },
    },
  },
  arms: {},
};
const versions = [
  { name: "m", version: "1", tally },
  { name: "m", version: "2", tally },
];

test("statistics have Triton's members, batches by their size, and zeros for a version that was never called", () => {
  const { model_stats: stats } = JSON.parse(String(presentStatistics(versions).body));
  expect(stats[0]).toMatchObject({ name: "m", version: "1", last_inference: 0, inference_count: 0, batch_stats: [] });
  expect(Object.keys(stats[0].inference_stats).sort()).toEqual([
    "cache_hit",
    "cache_miss",
    "compute_infer",
    "compute_input",
    "compute_output",
    "fail",
    "queue",
    "success",
  ]);
  expect(stats[1]).toMatchObject({
    last_inference: 5,
    inference_count: 3,
    execution_count: 2,
    inference_stats: { success: { count: 4, ns: 4_000_999 }, cache_hit: { count: 1, ns: 7 } },
    batch_stats: [{ batch_size: 2 }, { batch_size: 10, compute_infer: { count: 1, ns: 2 } }],
  });
});

test("metrics are whole microseconds and counts, a family at a time, each reason of a failure there from the start", () => {
  const lines = String(presentMetrics(versions, { addresses: 2, callers: 1, active: 1 }).body).split("\n");
  expect(lines).toContain('nv_inference_request_success{model="m",version="2"} 4');
  expect(lines).toContain('nv_inference_request_duration_us{model="m",version="2"} 4000');
  expect(lines).toContain('nv_inference_request_failure{model="m",version="2",reason="REJECTED"} 1');
  expect(lines).toContain('nv_inference_request_failure{model="m",version="1",reason="CANCELED"} 0');
  const families = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
  expect(new Set(families).size).toBe(families.length);
});
