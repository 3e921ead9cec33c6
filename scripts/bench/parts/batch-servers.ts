import { fileURLToPath } from "node:url";
import { secret, startOrigin } from "../../../test/origin/origin-process.ts";
import { startServer } from "../../engines/server.ts";
import { freePort } from "../../local/port.ts";
import { hasPython, venvOf } from "../../python-venv.ts";

/** The servers whose batching is compared: each with the same graph, one thread of ONNX Runtime, and the same most rows and wait. */

export interface Graph {
  readonly name: string;
  readonly version: string;
  /** The graph's file. */
  readonly path: string;
  readonly input: string;
  readonly output: string;
}

/** Rows run so far, and in how many runs. */
export interface Counts {
  readonly rows: number;
  readonly runs: number;
}

export interface Target {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where nothing is batched. */
  readonly counts?: () => Promise<Counts>;
  /** The process that started all others of the server. */
  readonly pid: number;
  close(): Promise<void>;
}

export const rowsMax = 32;
export const delayMs = 2;
const json = { "Content-Type": "application/json" };

export async function originTarget(graph: Graph, isBatched: boolean): Promise<Target> {
  const port = await freePort(0, "METRICS_PORT");
  const { name, version } = graph;
  const settings = isBatched ? { [name]: { rowsMax, delayMs } } : { "*": false };
  const env = { MODELS: name, THREADS: "1", METRICS_PORT: String(port), BATCHING: JSON.stringify(settings) };
  const { origin, url } = await startOrigin(env);
  const series = `{model="${name}",version="${version}"}`;
  const counts = async () => {
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const figure = (what: string) => {
      const start = `ledge_origin_batch_rows_${what}${series} `;
      return Number(
        page
          .split("\n")
          .find((line) => line.startsWith(start))
          ?.slice(start.length),
      );
    };
    return { rows: figure("sum"), runs: figure("count") };
  };
  return {
    name: isBatched ? "the origin" : "the origin, batching off",
    url: `${url}/v2/models/${name}/versions/${version}/infer`,
    headers: { ...json, Authorization: `Bearer ${secret}` },
    ...(isBatched ? { counts } : {}),
    pid: origin.child.pid ?? 0,
    close: async () => void (await origin.stop()),
  };
}

/** The others, where there is a Python; the first time their packages are installed under dist/. */
export async function pythonTargets(graph: Graph): Promise<readonly Target[]> {
  if (!(await hasPython())) return [];
  const targets: Target[] = [];
  try {
    targets.push(await rayTarget(graph));
    targets.push(await tritonTarget(graph));
  } catch (error) {
    await Promise.all(targets.map((target) => target.close()));
    throw error;
  }
  return targets;
}

async function rayTarget(graph: Graph): Promise<Target> {
  const { http, child, close } = await startServer(await commandOf("ray", graph, "/ready"));
  const counts = async () => (await (await fetch(`${http}/counts`)).json()) as Counts;
  return { name: "Ray Serve, @serve.batch", url: `${http}/infer`, headers: json, counts, pid: child.pid ?? 0, close };
}

async function tritonTarget(graph: Graph): Promise<Target> {
  const { http, child, close } = await startServer(await commandOf("triton", graph, "/v2/models/graph/ready"));
  const counts = async () => {
    const stats = (await (await fetch(`${http}/v2/models/graph/stats`)).json()) as TritonStats;
    const [model] = stats.model_stats;
    return { rows: model?.inference_count ?? 0, runs: model?.execution_count ?? 0 };
  };
  return {
    name: "Triton, dynamic batcher",
    url: `${http}/v2/models/graph/infer`,
    headers: json,
    counts,
    pid: child.pid ?? 0,
    close,
  };
}

interface TritonStats {
  readonly model_stats: readonly { readonly inference_count: number; readonly execution_count: number }[];
}

async function commandOf(name: "ray" | "triton", { path, input, output }: Graph, readyPath: string) {
  const file = (what: string) => fileURLToPath(new URL(`../python/${what}`, import.meta.url));
  const settings = [path, input, output, "1", String(rowsMax), String(delayMs)];
  return {
    program: await venvOf(file(`batch-${name}.txt`)),
    args: (http: number, grpc: number) => [file(`batch_${name}.py`), String(http), String(grpc), ...settings],
    readyPath,
    startMsMax: 180_000,
  };
}
