import { absentInference, callerWorker } from "../bare-workers.ts";
import { freePort } from "../free-port.ts";
import { inspect } from "../inspector.ts";
import type { Job } from "../load/job.ts";
import type { Fact, Outcome } from "../outcome.ts";
import { connections, type Plan } from "../plan.ts";
import { residentBytes } from "../process-figures.ts";
import { type RunningWorkerd, startWorkerd } from "../workerd.ts";
import { builtWorker, scriptWorker, serviceBinding, type WorkerPart } from "../workerd-config.ts";
import { askOnce, chatBody, predictBody, type World } from "../world.ts";

/**
 * Each Worker in a workerd of its own, beside an empty one: resident memory before load and after 1×, 2× and 4× of it,
 * so that what grows with use shows. The isolate's own share is V8's word after a full collection.
 */
export async function measureMemory(world: World, plan: Plan): Promise<Outcome> {
  const facts: Fact[] = [];
  const empty = await startWorkerd([scriptWorker("empty", `export default {};`, [], true)]);
  facts.push({ name: "memory  empty workerd, resident", value: mib(residentBytes(empty.pid)) });
  empty.close();
  facts.push(...(await watchGateway(world, plan)), ...(await watchInference(world, plan)));
  return { rows: [], aims: [], facts, rounds: [] };
}

type Load = Omit<Job, "seconds">;

async function watchGateway(world: World, plan: Plan): Promise<Fact[]> {
  const parts = [builtWorker("gateway", world.vars, true), scriptWorker("ledge-inference", absentInference, [], false)];
  return watch(world, plan, parts, "gateway", "ledge-gateway", (workerd) => {
    const url = workerd.url("ledge-gateway");
    const target = { headers: world.headers, connections, expect: [] };
    return [
      { ...target, url: `${url}/v1/predict`, body: predictBody },
      { ...target, url: `${url}/v1/chat/completions`, body: chatBody },
    ];
  });
}

async function watchInference(world: World, plan: Plan): Promise<Fact[]> {
  const caller = scriptWorker("caller", callerWorker, [serviceBinding("INFERENCE", "ledge-inference")], true);
  const { input } = JSON.parse(predictBody) as { readonly input: string };
  const call = { model: "intent", version: "1", texts: [input], topK: 5, logits: false };
  let url = "";
  const facts = await watch(
    world,
    plan,
    [builtWorker("inference", {}, false), caller],
    "inference",
    "ledge-inference",
    (workerd) => {
      url = `${workerd.url("caller")}/`;
      return [{ url, headers: {}, body: JSON.stringify(call), connections, expect: [] }];
    },
    async () => {
      const report = (await (await fetch(url)).json()) as { readonly wasmHeapBytes: number };
      return [{ name: "memory  inference, ONNX Runtime's WebAssembly heap", value: mib(report.wasmHeapBytes) }];
    },
  );
  return facts;
}

async function watch(
  world: World,
  plan: Plan,
  parts: readonly WorkerPart[],
  label: string,
  isolate: string,
  loadsOf: (workerd: RunningWorkerd) => readonly Load[],
  more: () => Promise<readonly Fact[]> = async () => [],
): Promise<Fact[]> {
  const inspectorPort = await freePort();
  const workerd = await startWorkerd(parts, { inspectorPort });
  try {
    const resident = [residentBytes(workerd.pid)];
    const loads = loadsOf(workerd);
    for (const load of loads) await askOnce(load);
    resident.push(residentBytes(workerd.pid));
    let answers = 0;
    for (const seconds of [1, 1, 2].map((times) => (times * plan.memorySeconds) / loads.length)) {
      for (const load of loads) answers += (await world.generator.drive({ ...load, seconds })).answers;
      resident.push(residentBytes(workerd.pid));
    }
    const steps = ["started", "first answers", "1×", "2×", "4× load"];
    const path = steps.map((step, index) => `${step} ${mib(resident[index] ?? Number.NaN)}`).join(", ");
    return [
      { name: `memory  ${label}, resident`, value: `${path} (${answers} requests)` },
      { name: `memory  ${label}, V8 heap of the isolate after the load`, value: await heapOf(inspectorPort, isolate) },
      ...(await more()),
    ];
  } finally {
    workerd.close();
  }
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
