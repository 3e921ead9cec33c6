import type { ModelTally, VersionTally } from "@ledge/contract";
import { emptyVersionTally } from "@ledge/policy";
import { jsonReply, type Reply } from "../../reply.ts";

/** A version and what was counted of it; nothing yet when there is no tally. */
export interface CountedVersion {
  readonly name: string;
  readonly version: string;
  readonly tally: ModelTally;
}

/** `GET …/stats`: Triton's statistics. Cache hits are among `success` and `queue`, not among `inference_count` and `execution_count`. */
export function presentStatistics(counted: readonly CountedVersion[]): Reply {
  return jsonReply({ model_stats: counted.map(versionStatistics) });
}

function versionStatistics({ name, version, tally }: CountedVersion): object {
  const counts = tally.versions[version] ?? emptyVersionTally;
  return {
    name,
    version,
    last_inference: counts.lastInferenceMs,
    inference_count: counts.inferenceCount,
    execution_count: counts.executionCount,
    inference_stats: {
      success: counts.success,
      fail: counts.fail,
      queue: counts.queue,
      compute_input: counts.computeInput,
      compute_infer: counts.computeInfer,
      compute_output: counts.computeOutput,
      cache_hit: counts.cacheHit,
      cache_miss: counts.cacheMiss,
    },
    response_stats: {},
    batch_stats: batchStatistics(counts.batches),
    memory_usage: [],
  };
}

function batchStatistics(batches: VersionTally["batches"]): readonly object[] {
  return Object.entries(batches)
    .map(([size, { computeInput, computeInfer, computeOutput }]) => ({
      batch_size: Number(size),
      compute_input: computeInput,
      compute_infer: computeInfer,
      compute_output: computeOutput,
    }))
    .sort((a, b) => a.batch_size - b.batch_size);
}
