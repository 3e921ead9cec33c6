import { ok, type Result, type Tensor, type Tensors } from "@ledge/contract";
import { expect, test } from "vitest";
import { BatchedTensors } from "./batched-tensors.ts";
import { wakeIn } from "./batcher.ts";

const rule = {
  rowsMax: 8,
  cellsMax: 1_000,
  paddingMax: 0.5,
  preferredRows: [],
  delayMsMax: 5,
  waitingMax: 16,
  runningMax: 1,
};
const signal = new AbortController().signal;
const row = (...data: number[]): Tensor => ({
  datatype: "FP32",
  shape: [1, data.length],
  data: Float32Array.from(data),
});

function engineOf(answer: (feeds: Tensors) => Result<Tensors>) {
  const seen: Tensors[] = [];
  const infer = async (feeds: Tensors) => {
    seen.push(feeds);
    return answer(feeds);
  };
  const model = { name: "far", version: "1", task: "tensor" } as const;
  const engine = new BatchedTensors({ model, infer, close: async () => {} }, rule, {
    nowMs: () => performance.now(),
    wakeIn,
  });
  return { engine, seen };
}

test("calls of one shape become one request to the server, and each gets its own rows", async () => {
  const { engine, seen } = engineOf((feeds) => ok({ y: feeds.x ?? row() }));
  const answers = await Promise.all([1, 2, 3].map((one) => engine.infer({ x: row(one, one) }, undefined, signal)));
  expect(seen.map(({ x }) => x?.shape)).toEqual([[3, 2]]);
  expect(answers.map((answer) => answer.ok && answer.value.y?.data)).toEqual(
    [1, 2, 3].map((one) => Float32Array.of(one, one)),
  );
});

test("tensors of unlike shape or datatype, and wishes for unlike outputs, never share a request", async () => {
  const { engine, seen } = engineOf((feeds) => ok({ y: feeds.x ?? row() }));
  const integers: Tensor = { datatype: "INT32", shape: [1, 2], data: Int32Array.of(1, 2) };
  await Promise.all([
    engine.infer({ x: row(1, 2) }, undefined, signal),
    engine.infer({ x: row(1, 2, 3) }, undefined, signal),
    engine.infer({ x: integers }, undefined, signal),
    engine.infer({ x: row(1, 2) }, ["y"], signal),
  ]);
  expect(seen).toHaveLength(4);
});

test("tensors that do not agree about their rows go to the server as they are", async () => {
  const { engine, seen } = engineOf(() => ok({ y: row(1) }));
  const two: Tensor = { datatype: "FP32", shape: [2, 1], data: Float32Array.of(1, 2) };
  const feeds = { a: row(1), b: two };
  await Promise.all([engine.infer(feeds, undefined, signal), engine.infer(feeds, undefined, signal)]);
  expect(seen).toEqual([feeds, feeds]);
});

test("an answer that has not the rows that were asked for is a fault, not somebody else's rows", async () => {
  const { engine } = engineOf(() => ok({ y: row(1) }));
  const answers = await Promise.all([1, 2].map((one) => engine.infer({ x: row(one) }, undefined, signal)));
  // Run apart each is answered: the server takes one row at a time.
  expect(answers.map((answer) => answer.ok)).toEqual([true, true]);
});
