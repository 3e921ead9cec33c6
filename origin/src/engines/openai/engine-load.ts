/** How busy a server is, as it says itself. */
export interface EngineLoad {
  /** Requests that it works on. */
  readonly running: number;
  /** Requests that wait for it. */
  readonly waiting: number;
  /** Share of the memory for keys and values that is in use, 0 to 1; absent where the server does not say. */
  readonly kvCacheUse?: number;
}

/** What the servers that say it call it. vLLM calls the cache's use `gpu_cache_usage_perc` in versions before its engine 1. */
const gauges = [
  {
    running: "vllm:num_requests_running",
    waiting: "vllm:num_requests_waiting",
    kvCacheUse: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
  },
  { running: "sglang:num_running_reqs", waiting: "sglang:num_queue_reqs", kvCacheUse: ["sglang:token_usage"] },
] as const;

/** Every rank that shares a model's work reports the whole of it; data-parallel engines each report their own. */
const sharedWork = /^(?:tp_rank|pp_rank|moe_ep_rank)$/;

/** Reads the load out of Prometheus's text format (version 0.0.4); `undefined` where no server that we know speaks. */
export function readLoad(text: string): EngineLoad | undefined {
  for (const names of gauges) {
    const running = sum(valuesOf(text, names.running));
    const waiting = sum(valuesOf(text, names.waiting));
    if (running === undefined || waiting === undefined) continue;
    const uses = names.kvCacheUse.map((name) => [...valuesOf(text, name).values()]).find((all) => all.length > 0);
    return { running, waiting, ...(uses === undefined ? {} : { kvCacheUse: Math.max(...uses) }) };
  }
  return undefined;
}

/** Of each engine the highest value that its ranks report, by the labels that tell engines apart. */
function valuesOf(text: string, name: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of linesOf(text, name)) {
    const [, labels = "", said] =
      /^(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/.exec(line.slice(name.length)) ?? [];
    const value = Number(said);
    if (said === undefined || !(value >= 0) || value === Number.POSITIVE_INFINITY) continue;
    const engine = engineOf(labels);
    values.set(engine, Math.max(value, values.get(engine) ?? 0));
  }
  return values;
}

function* linesOf(text: string, name: string): Generator<string> {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + name.length)) {
    if (at > 0 && text[at - 1] !== "\n") continue;
    const end = text.indexOf("\n", at);
    yield text.slice(at, end === -1 ? text.length : end).replace(/\r$/, "");
  }
}

function engineOf(labels: string): string {
  const pairs = labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return [...pairs]
    .filter(([, label = ""]) => !sharedWork.test(label))
    .map(([pair]) => pair)
    .sort()
    .join();
}

function sum(values: ReadonlyMap<string, number>): number | undefined {
  return values.size === 0 ? undefined : [...values.values()].reduce((total, value) => total + value, 0);
}
