/** What `origin/cluster/settings.py` takes, as far as a local cluster sets it. Absent members keep their defaults there. */
export interface ClusterSettings {
  readonly model_name: string;
  /** A folder in Hugging Face's form. */
  readonly model_source: string;
  readonly tensor_parallel_size?: number;
  readonly pipeline_parallel_size?: number;
  readonly placement?: "PACK" | "STRICT_SPREAD";
  readonly max_replicas?: number;
  readonly target_ongoing_requests?: number;
  readonly max_ongoing_requests?: number;
  readonly max_queued_requests?: number;
  readonly idle_s?: number;
}

/** What the origin's `ENGINES` holds for a cluster whose API is under `url`. */
export function enginesOf(url: string, model: string): readonly object[] {
  return [{ kind: "openai", url: `${url}/v1`, models: [{ name: model, servedName: model }] }];
}
