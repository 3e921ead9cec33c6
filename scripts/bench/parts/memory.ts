import { absentInference, callerWorker, constantWorker } from "../bare-workers.ts";
import { freePort } from "../free-port.ts";
import { inspect } from "../inspector.ts";
import type { Fact, Outcome } from "../outcome.ts";
import { connections, type Plan } from "../plan.ts";
import { residentBytes } from "../process-figures.ts";
import { startWorkerd } from "../workerd.ts";
import { builtWorker, scriptWorker, serviceBinding, type WorkerPart } from "../workerd-config.ts";
import { askOnce, chatBody, predictBody, predictCall, type World } from "../world.ts";

/**
 * Each Worker in a workerd of its own, resident memory before load and after 1×, 2× and 4× of it. Beside them a bare
 * Worker under the same load: workerd lets memory grow to a plateau whatever runs in it, and only what exceeds that
 * plateau, or does not stop growing, is ours. The isolate's own share is V8's word.
 */
export async function measureMemory(world: World, plan: Plan): Promise<Outcome> {
  const facts: Fact[] = [];
  for (const subject of subjects) facts.push(...(await watch(subject, world, plan)));
  return { rows: [], aims: [], facts, rounds: [] };
}

interface Subject {
  readonly name: string;
  /** The Worker whose isolate is asked for its heap. */
  readonly worker: string;
  readonly parts: (world: World) => readonly WorkerPart[];
  /** The Worker that takes the load, and the loads: path and body. */
  readonly entry: string;
  readonly loads: readonly (readonly [string, string])[];
}

const subjects: readonly Subject[] = [
  {
    name: "bare Worker",
    worker: "constant",
    parts: () => [scriptWorker("constant", constantWorker, [], true)],
    entry: "constant",
    loads: [["/v1/predict", predictBody]],
  },
  {
    name: "gateway",
    worker: "ledge-gateway",
    parts: ({ vars, identity }) => [
      builtWorker("gateway", vars, true),
      builtWorker("operator", vars, false),
      builtWorker("identity", identity, false),
      builtWorker("meter", {}, false),
      builtWorker("semantic", {}, false),
      builtWorker("dispatch", vars, false),
      scriptWorker("ledge-inference", absentInference, [], false),
    ],
    entry: "ledge-gateway",
    loads: [
      ["/v1/predict", predictBody],
      ["/v1/chat/completions", chatBody],
    ],
  },
  {
    name: "inference",
    worker: "ledge-inference",
    parts: () => [
      builtWorker("inference", {}, false),
      scriptWorker("caller", callerWorker, [serviceBinding("INFERENCE", "ledge-inference")], true),
    ],
    entry: "caller",
    loads: [["/", JSON.stringify(predictCall)]],
  },
];

async function watch(subject: Subject, world: World, plan: Plan): Promise<Fact[]> {
  const inspectorPort = await freePort();
  const workerd = await startWorkerd(subject.parts(world), { inspectorPort });
  try {
    const url = workerd.url(subject.entry);
    const loads = subject.loads.map(([path, body]) => ({ url: url + path, headers: world.headers, body, expect: [] }));
    const resident = [residentBytes(workerd.pid)];
    for (const load of loads) await askOnce(load);
    resident.push(residentBytes(workerd.pid));
    let answers = 0;
    for (const times of [1, 1, 2]) {
      const seconds = (times * plan.memorySeconds) / loads.length;
      for (const load of loads) answers += (await world.generator.drive({ ...load, connections, seconds })).answers;
      resident.push(residentBytes(workerd.pid));
    }
    const steps = ["started", "first answers", "1×", "2×", "4× load"];
    const path = steps.map((step, index) => `${step} ${mib(resident[index] ?? Number.NaN)}`).join(", ");
    const facts = [
      { name: `memory  ${subject.name}, resident`, value: `${path} (${answers} requests)` },
      { name: `memory  ${subject.name}, V8 heap`, value: await heapOf(inspectorPort, subject.worker) },
    ];
    return subject.entry === "caller" ? [...facts, await wasmHeapOf(url)] : facts;
  } finally {
    workerd.close();
  }
}

async function wasmHeapOf(url: string): Promise<Fact> {
  const report = (await (await fetch(url)).json()) as { readonly wasmHeapBytes: number };
  return { name: "memory  inference, ONNX Runtime's heap", value: mib(report.wasmHeapBytes) };
}

interface HeapUsage {
  readonly usedSize: number;
  readonly totalSize: number;
  readonly backingStorageSize?: number;
}

async function heapOf(port: number, worker: string): Promise<string> {
  const inspector = await inspect(port, worker);
  try {
    const { usedSize, totalSize } = await inspector.call<HeapUsage>("Runtime.getHeapUsage");
    return `${mib(usedSize)} used, garbage not yet collected included, of ${mib(totalSize)} held`;
  } finally {
    inspector.close();
  }
}

function mib(bytes: number): string {
  return Number.isNaN(bytes) ? "–" : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
