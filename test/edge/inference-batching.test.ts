import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Graph, type Value, writeOnnx } from "../support/onnx/write-onnx.ts";
import { packageOf, startInference } from "./inference-harness.ts";

/** Concurrent calls for one model and shape are run as one batch. */

const { harness, infer, load, report, store } = startInference({ narrow: { vars: { QUEUE_ROWS_MAX: 4 } } });

beforeAll(() => harness.listen());
afterAll(() => harness.close());

const value = (name: string, datatype: Value["datatype"], shape: readonly number[]): Value => ({
  name,
  datatype,
  shape,
});

/** `y` is the row of `table` that each `id` names: an id that is not there fails the run. */
const lookup: Graph = {
  inputs: [value("id", "INT64", [-1, -1])],
  outputs: [value("y", "FP32", [-1, -1])],
  initializers: [{ ...value("table", "FP32", [8]), data: Float32Array.from([0, 10, 20, 30, 40, 50, 60, 70]) }],
  nodes: [{ op: "Gather", inputs: ["table", "id"], outputs: ["y"] }],
};

async function stored(name: string, batchMax?: number) {
  const shapes = { inputs: [...lookup.inputs], outputs: [...lookup.outputs] } as never;
  const limits = batchMax === undefined ? {} : { batchMax };
  const ref = await store(
    packageOf(name, { "model.onnx": writeOnnx(lookup) }, { ...(shapes as object), limits } as never),
  );
  await load(ref);
  return ref;
}

const id = (...ids: readonly number[]) =>
  ({ id: { datatype: "INT64", shape: [1, ids.length], data: ids.map(String) } }) as const;

/** What each batch size was run how often, since. */
async function runsSince(before: Readonly<Record<string, number>>) {
  const { batches } = await report();
  const added = Object.entries(batches).map(([rows, runs]) => [rows, runs - (before[rows] ?? 0)] as const);
  return Object.fromEntries(added.filter(([, runs]) => runs > 0));
}

describe("raw calls that arrive together", () => {
  test("are run as one batch when their shapes agree but for the rows, and each gets its own rows", async () => {
    const ref = await stored("shared", 16);
    const { batches } = await report();
    const answers = await infer([1, 2, 3, 4, 5, 6].map((each) => ({ ...ref, inputs: id(each, 0) })));
    const rows = answers.map((answer) => (answer.ok ? answer.value.outputs.y : undefined));
    expect(rows.map((row) => [row?.shape, row?.data])).toEqual(
      [1, 2, 3, 4, 5, 6].map((each) => [
        [1, 2],
        [each * 10, 0],
      ]),
    );
    expect(await runsSince(batches)).toEqual({ "6": 1 });
    const timings = answers.map((answer) => (answer.ok ? answer.value.timings : undefined));
    expect(timings.map((each) => each?.batchRows)).toEqual([6, 6, 6, 6, 6, 6]);
    expect(timings.map((each) => each?.executions)).toEqual([1, 0, 0, 0, 0, 0]);
  });

  test("of another shape are run apart", async () => {
    const ref = await stored("apart", 16);
    const { batches } = await report();
    const calls = [id(1), id(1, 2), id(3), id(3, 4)].map((inputs) => ({ ...ref, inputs }));
    const data = (await infer(calls)).map((answer) => (answer.ok ? answer.value.outputs.y?.data : undefined));
    expect(data).toEqual([[10], [10, 20], [30], [30, 40]]);
    expect(await runsSince(batches)).toEqual({ "2": 2 });
  });

  test("of a model that does not say how many rows it takes are run one by one: an open dimension may be a sequence", async () => {
    const ref = await stored("unsure");
    const { batches } = await report();
    await infer([1, 2, 3].map((each) => ({ ...ref, inputs: id(each) })));
    expect(await runsSince(batches)).toEqual({ "1": 3 });
  });

  test("fail alone when one of them is bad", async () => {
    const ref = await stored("bad-item", 16);
    const answers = await infer([id(1), id(99), id(3)].map((inputs) => ({ ...ref, inputs })));
    const says = answers.map((answer) => (answer.ok ? answer.value.outputs.y?.data : answer.fault.code));
    expect(says).toEqual([[10], "upstream_failed", [30]]);
  });

  test("leave the queue at their deadline and cost nobody a run", async () => {
    const ref = await stored("deadlines", 16);
    const { batches } = await report();
    const inputs = id(1);
    const calls = [{ deadlineMs: Date.now() - 1 }, { deadlineMs: Date.now() + 60_000 }, {}];
    const answers = await infer(calls.map((more) => ({ ...ref, inputs, ...more })));
    expect(answers.map((answer) => (answer.ok ? "answered" : answer.fault.code))).toEqual([
      "deadline_exceeded",
      "answered",
      "answered",
    ]);
    expect(await runsSince(batches)).toEqual({ "2": 1 });
  });

  test("wait in a bounded queue: what exceeds it is refused at once, and the next call is served", async () => {
    const ref = await stored("bounded", 16);
    const calls = Array.from({ length: 6 }, () => ({ ...ref, inputs: id(1) }));
    await infer(calls.slice(0, 1), "narrow");
    const codes = (await infer(calls, "narrow")).map((answer) => (answer.ok ? "answered" : answer.fault.code));
    expect(codes).toEqual([...new Array(4).fill("answered"), "overloaded", "overloaded"]);
    expect((await infer(calls.slice(0, 1), "narrow"))[0]?.ok).toBe(true);
  });
});

test("a lone call is run alone and at once: no window is waited for", async () => {
  const ref = await stored("lone", 16);
  const { batches } = await report();
  await infer([{ ...ref, inputs: id(1) }]);
  expect(await runsSince(batches)).toEqual({ "1": 1 });
});
