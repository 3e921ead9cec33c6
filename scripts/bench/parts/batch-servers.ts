import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerCommand, startServer } from "../../engines/server.ts";
import { hasPython, venvOf } from "../../python-venv.ts";
import { repoRoot } from "../../repo.ts";

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
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where nothing is batched. */
  readonly counts?: () => Promise<Counts>;
  /** The process that started all others of the server. */
  readonly pid: number;
  close(): Promise<void>;
}

/** One of the servers. */
export interface Contender {
  readonly name: string;
  /** It takes no CPU time while nobody asks it, so others may be measured beside it. Ray takes a good part of a core. */
  readonly isQuiet: boolean;
  start(): Promise<Target>;
}

export const rowsMax = 32;
export const delayMs = 2;
const json = { "Content-Type": "application/json" };
const secret = "bench-secret-of-no-use-elsewhere";

/** The origin first, then the origin without batching, then the others, where there is a Python. */
export async function contenders(graph: Graph): Promise<readonly Contender[]> {
  const settings = { [graph.name]: { rowsMax, delayMs } };
  const ours: readonly Contender[] = [
    { name: "the origin", isQuiet: true, start: () => startOrigin(graph, settings) },
    { name: "the origin, batching off", isQuiet: true, start: () => startOrigin(graph, { "*": false }) },
  ];
  if (!(await hasPython())) return ours;
  return [
    ...ours,
    { name: "Ray Serve, @serve.batch", isQuiet: false, start: () => startRay(graph) },
    { name: "Triton, dynamic batcher", isQuiet: true, start: () => startTriton(graph) },
  ];
}

async function startOrigin({ name, version }: Graph, batching: object): Promise<Target> {
  const { http, grpc, child, close } = await startServer({
    program: process.execPath,
    args: () => [join(repoRoot, "origin", "src", "index.ts")],
    env: (port, metricsPort) => ({
      ORIGIN_SECRET: secret,
      ORIGIN_AUTH: "either",
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      MODELS: name,
      THREADS: "1",
      EXECUTION_PROVIDER: "cpu",
      BATCHING: JSON.stringify(batching),
    }),
    readyPath: "/readyz",
    startMsMax: 60_000,
  });
  const metricsUrl = `${grpc.replace("grpc:", "http:")}/metrics`;
  const counts = async () => {
    const page = await (await fetch(metricsUrl)).text();
    const figure = (what: string) => {
      const start = `ledge_origin_batch_rows_${what}{model="${name}",version="${version}"} `;
      const line = page.split("\n").find((each) => each.startsWith(start));
      return Number(line?.slice(start.length));
    };
    return { rows: figure("sum"), runs: figure("count") };
  };
  return {
    url: `${http}/v2/models/${name}/versions/${version}/infer`,
    headers: { ...json, Authorization: `Bearer ${secret}` },
    ...("*" in batching ? {} : { counts }),
    pid: child.pid ?? 0,
    close,
  };
}

async function startRay(graph: Graph): Promise<Target> {
  const { http, child, close } = await startServer(await commandOf("ray", graph, "/ready"));
  const counts = async () => (await (await fetch(`${http}/counts`)).json()) as Counts;
  return { url: `${http}/infer`, headers: json, counts, pid: child.pid ?? 0, close };
}

async function startTriton(graph: Graph): Promise<Target> {
  const { http, child, close } = await startServer(await commandOf("triton", graph, "/v2/models/graph/ready"));
  const counts = async () => {
    const stats = (await (await fetch(`${http}/v2/models/graph/stats`)).json()) as TritonStats;
    const [model] = stats.model_stats;
    return { rows: model?.inference_count ?? 0, runs: model?.execution_count ?? 0 };
  };
  return { url: `${http}/v2/models/graph/infer`, headers: json, counts, pid: child.pid ?? 0, close };
}

interface TritonStats {
  readonly model_stats: readonly { readonly inference_count: number; readonly execution_count: number }[];
}

/** The first time its packages are installed, under dist/. */
async function commandOf(
  name: "ray" | "triton",
  { path, input, output }: Graph,
  readyPath: string,
): Promise<ServerCommand> {
  const file = (what: string) => fileURLToPath(new URL(`../python/${what}`, import.meta.url));
  const settings = [path, input, output, "1", String(rowsMax), String(delayMs)];
  return {
    program: await venvOf(file(`batch-${name}.txt`)),
    args: (http, grpc) => [file(`batch_${name}.py`), String(http), String(grpc), ...settings],
    readyPath,
    startMsMax: 180_000,
  };
}
