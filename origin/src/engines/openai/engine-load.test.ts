import { expect, test } from "vitest";
import { readLoad } from "./engine-load.ts";

const vllm = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="org/big"} 3.0
vllm:num_requests_running{engine="1",model_name="org/big"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="org/big"} 0.0
vllm:num_requests_waiting{engine="1",model_name="org/big"} 4.0
vllm:num_requests_waiting_by_reason{engine="1",model_name="org/big",reason="capacity"} 400.0
vllm:kv_cache_usage_perc{engine="0",model_name="org/big"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="org/big"} 0.75
`;

test("vLLM: what its engines run and hold back is added up, and the fullest cache counts", () => {
  expect(readLoad(vllm)).toEqual({ running: 5, waiting: 4, kvCacheUse: 0.75 });
});

test("vLLM before its engine 1 calls the cache's use by another name", () => {
  expect(readLoad(vllm.replaceAll("kv_cache_usage_perc", "gpu_cache_usage_perc"))?.kvCacheUse).toBe(0.75);
});

test("SGLang: ranks that share a model's work count once, data-parallel ones each", () => {
  const ranks = ["0", "1"].flatMap((dp) =>
    ["0", "1"].map((tp) => `{dp_rank="${dp}",model_name="m \\"x, y\\"",pp_rank="0",tp_rank="${tp}"}`),
  );
  const text = ranks
    .map((labels) => `sglang:num_running_reqs${labels} 7\nsglang:num_queue_reqs${labels} 1.0 1731000000000`)
    .join("\r\n");
  expect(readLoad(`${text}\nsglang:token_usage{dp_rank="0"} 0.5\n`)).toEqual({
    running: 14,
    waiting: 2,
    kvCacheUse: 0.5,
  });
});

test.each([
  "",
  "vllm:num_requests_running NaN\nvllm:num_requests_waiting 1",
  "process_cpu_seconds_total 1",
  "vllm:num_requests_running{",
])("what is no load that we know is none: %j", (text) => {
  expect(readLoad(text)).toBeUndefined();
});

test("without labels, and without a cache to speak of", () => {
  expect(readLoad("vllm:num_requests_running 1\nvllm:num_requests_waiting 2")).toEqual({ running: 1, waiting: 2 });
});
