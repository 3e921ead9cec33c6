import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensors } from "@ledge/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ModelPackage } from "../../origin/src/engines/model-package.ts";
import { readPackages } from "../../origin/src/engines/model-package.ts";
import { loadGraph } from "../../origin/src/engines/onnx/load-graph.ts";
import type { Machine, Provider } from "../../origin/src/engines/onnx/providers.ts";
import { SessionPool } from "../../origin/src/engines/onnx/session-pool.ts";
import { writePackage } from "./graph-packages.ts";

/** Native ONNX Runtime in threads of its own. */

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
    value: { [`y${steps - 1}`]: { data: Float32Array.of(2 ** (steps + 1)) } },
  });
  await other.close();
  expect(pool.size).toBe(0);
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
