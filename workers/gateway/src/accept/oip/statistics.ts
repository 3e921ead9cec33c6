import type { Duration, ModelTally, VersionTally } from "@ledge/contract";
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

const none: Duration = { count: 0, ns: 0 };

function versionStatistics({ name, version, tally }: CountedVersion): object {
  const counts: Partial<VersionTally> = tally.versions[version] ?? {};
  return {
    name,
    version,
    last_inference: counts.lastInferenceMs ?? 0,
    inference_count: counts.inferenceCount ?? 0,
    execution_count: counts.executionCount ?? 0,
    inference_stats: {
      success: counts.success ?? none,
      fail: counts.fail ?? none,
      queue: counts.queue ?? none,
      compute_input: counts.computeInput ?? none,
      compute_infer: counts.computeInfer ?? none,
      compute_output: counts.computeOutput ?? none,
      cache_hit: counts.cacheHit ?? none,
      cache_miss: counts.cacheMiss ?? none,
    },
    response_stats: {},
    batch_stats: batchStatistics(counts.batches ?? {}),
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
