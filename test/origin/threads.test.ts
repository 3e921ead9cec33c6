import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { ChatRequest, Tensors } from "@ledge/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelsDirDefault } from "../../origin/src/config.ts";
import type { ModelPackage } from "../../origin/src/engines/model-package.ts";
import { readPackages } from "../../origin/src/engines/model-package.ts";
import type { GeneratorOrder } from "../../origin/src/engines/onnx/generator-messages.ts";
import { GeneratorThread } from "../../origin/src/engines/onnx/generator-thread.ts";
import { loadGraph } from "../../origin/src/engines/onnx/load-graph.ts";
import type { Machine, Provider } from "../../origin/src/engines/onnx/providers.ts";
import type { SessionOrder } from "../../origin/src/engines/onnx/session-messages.ts";
import { SessionPool } from "../../origin/src/engines/onnx/session-pool.ts";
import { SessionThread } from "../../origin/src/engines/onnx/session-thread.ts";
import { writePackage } from "./graph-packages.ts";
import { eventsSaid, OriginProcess, secret } from "./origin-process.ts";

/** Native ONNX Runtime in threads of its own. */

/** Where the threads' programs are. */
const onnx = new URL("../../origin/src/engines/onnx/", import.meta.url);

let dir: string;
let long: ModelPackage;
let twin: ModelPackage;
const said: string[] = [];
const bare: Machine = { nvidia: false, graphics: false, libraries: { cuda: false, tensorrt: false } };

/** So many products of a matrix with itself, one after the other: seconds. */
const steps = 12;
const side = 1024;
const matrix = { datatype: "FP32", shape: [side, side] } as const;
const feeds: Tensors = { x: { ...matrix, data: new Float32Array(side * side) } };
const never = new AbortController().signal;
const last = `y${steps - 1}`;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "thread-models-"));
  const x = { name: "x", datatype: "FP32", shape: [-1, -1] } as const;
  const names = ["x", ...Array.from({ length: steps }, (_, at) => `y${at}`)];
  const nodes = names.slice(1).map((name, at) => ({ op: "MatMul", inputs: [names[at] ?? "", "x"], outputs: [name] }));
  const outputs = [{ ...x, name: names.at(-1) ?? "" }];
  const graph = { inputs: [x], outputs, nodes };
  for (const name of ["long", "twin"]) await writePackage(dir, name, { task: "tensor", graph });
  const found = await readPackages(dir, ["long", "twin"]);
  const named = (name: string) => found.find(({ manifest }) => manifest.name === name);
  const [one, other] = [named("long"), named("twin")];
  if (one === undefined || other === undefined) throw new Error("the packages are not there");
  [long, twin] = [one, other];
});
afterAll(() => rm(dir, { recursive: true }));

function poolOf(provider: Provider | "auto" = "auto", machine = bare): SessionPool {
  said.length = 0;
  return new SessionPool({ threads: 1, provider, machine: async () => machine, say: (what) => said.push(what) });
}

test("a long run does not keep the process waiting", async () => {
  const engine = await loadGraph(long, poolOf());
  let turns = 0;
  let running = true;
  const count = () => {
    turns += 1;
    if (running) setImmediate(count);
  };
  count();
  const answer = await engine.infer?.(feeds, undefined, never);
  running = false;
  expect(answer?.ok).toBe(true);
  // On the calling thread the event loop would turn once or twice.
  expect(turns).toBeGreaterThan(100);
  await engine.close();
}, 120_000);

test("a call that is called off while it waits for its turn is never run", async () => {
  const engine = await loadGraph(long, poolOf());
  const order: string[] = [];
  const first = engine.infer?.(feeds, undefined, never).then(() => order.push("first"));
  const caller = new AbortController();
  const second = engine.infer?.(feeds, undefined, caller.signal).then((answer) => {
    order.push(answer.ok ? "second" : answer.fault.code);
  });
  caller.abort("deadline");
  await second;
  await first;
  expect(order).toEqual(["deadline_exceeded", "first"]);
  await engine.close();
}, 120_000);

test("versions whose graphs have the same digest share a session, and the last one ends it", async () => {
  const pool = poolOf();
  const [one, other] = [await loadGraph(long, pool), await loadGraph(twin, pool)];
  expect([pool.size, said.length]).toEqual([1, 1]);
  await one.close();
  await one.close();
  expect(pool.size).toBe(1);
  expect(
    await other.infer?.({ x: { ...matrix, shape: [1, 1], data: Float32Array.of(2) } }, undefined, never),
  ).toMatchObject({
    ok: true,
    value: { [last]: { data: Float32Array.of(2 ** (steps + 1)) } },
  });
  await other.close();
  expect(pool.size).toBe(0);
});

test("a session whose thread dies fails the run that it held, and the next run starts another", async () => {
  const workers: Worker[] = [];
  const spawn = (order: SessionOrder) => {
    const worker = new Worker(new URL("session-worker.ts", onnx), { workerData: order, execArgv: [] });
    workers.push(worker);
    return worker;
  };
  const path = join(long.dir, "model.onnx");
  const session = await SessionThread.open({ path, threads: 1, provider: "cpu" }, spawn);
  const small: Tensors = { x: { ...matrix, shape: [1, 1], data: Float32Array.of(1) } };
  const held = session.run(small, [last]);
  // As Node says it of a thread that ran out of memory.
  workers[0]?.emit("error", new Error("out of memory"));
  expect(await held).toMatchObject({ ok: false, fault: { code: "upstream_failed" } });
  expect(await session.run(small, [last])).toMatchObject({ ok: true, value: { [last]: { data: Float32Array.of(1) } } });
  expect(workers).toHaveLength(2);
  await session.close();
  expect(await session.run(small, [last])).toMatchObject({ ok: false, fault: { code: "upstream_failed" } });
  workers[0]?.postMessage("close");
});

test("a session is closed in the middle of a run: the run ends first", async () => {
  const session = await SessionThread.open({ path: join(long.dir, "model.onnx"), threads: 1, provider: "cpu" });
  const held = session.run(feeds, [last]);
  await session.close();
  expect(await held).toMatchObject({ ok: true });
}, 120_000);

test("a language model whose thread dies ends its streams with a fault, and the next chat loads it again", async () => {
  const workers: Worker[] = [];
  const spawn = (order: GeneratorOrder) => {
    const worker = new Worker(new URL("generator-worker.ts", onnx), { workerData: order, execArgv: [] });
    workers.push(worker);
    return worker;
  };
  const [pack] = await readPackages(modelsDirDefault, ["tiny-chat"]);
  if (pack === undefined) throw new Error("tiny-chat is not in models/");
  const engine = await GeneratorThread.load(pack, 1, spawn);
  const request: ChatRequest = { model: "m", messages: [{ role: "user", content: "Tell me." }], max_tokens: 200 };
  const chat = await engine.chat(request);
  const kinds: string[] = [];
  if (!chat.ok) throw new Error(`refused: ${chat.fault.code}`);
  await chat.value.run(never, (event) => {
    // At the first event: the fault that comes of it is said at once.
    if (kinds.push(event.kind) === 1) workers[0]?.emit("error", new Error("out of memory"));
  });
  expect(kinds.at(-1)).toBe("fault");
  const again = await engine.chat({ ...request, max_tokens: 1 });
  const events = again.ok ? await eventsSaid(again.value.run) : [];
  expect(events.at(-1)?.kind).toBe("end");
  await engine.close();
  workers[0]?.postMessage({ kind: "close" });
});

test("an origin that cannot load its second model ends, and the threads of the first with it", async () => {
  const models = await mkdtemp(join(tmpdir(), "broken-models-"));
  const x = { name: "x", datatype: "FP32", shape: [-1] } as const;
  const graph = {
    inputs: [x],
    outputs: [{ ...x, name: "y" }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  };
  await writePackage(models, "a-good-one", { task: "tensor", graph });
  await writePackage(models, "broken", { task: "tensor", graph: Uint8Array.of(1, 2, 3) });
  const ended = await new OriginProcess({ ORIGIN_SECRET: secret, PORT: "0", MODELS_DIR: models }).ended();
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain("a-good-one@1 runs on");
  expect(ended.stderr).toContain("broken@1");
  await rm(models, { recursive: true });
});

test("where a graph runs is chosen by what the machine has, and the log says why", async () => {
  const engine = await loadGraph(long, poolOf());
  expect(said).toEqual(["long@1 runs on cpu: there is no graphics device that WebGPU could reach."]);
  await engine.close();
});

test("a provider that the machine seemed to have and that does not take the graph is passed over for the CPU", async () => {
  const nvidia = { ...bare, nvidia: true, libraries: { cuda: true, tensorrt: false } };
  const engine = await loadGraph(long, poolOf("auto", nvidia));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^long@1 runs on cpu: cuda does not take it \(.+\)\.$/);
  await engine.close();
});

test("a provider that the operator asks for and that is not there is no reason to take another", async () => {
  const pool = poolOf("cuda");
  await expect(loadGraph(long, pool)).rejects.toThrow(/cuda/i);
  expect(pool.size).toBe(0);
});
