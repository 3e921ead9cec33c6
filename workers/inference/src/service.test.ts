import { type InferCall, ok, type PredictCall, packageManifest, type Tensors } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import labels from "../../../models/intent/1/labels.json" with { type: "json" };
import manifest from "../../../models/intent/1/model.json" with { type: "json" };
import { bundleSource, documentDigest, findPackage } from "./load/find-package.ts";
import { ModelStore } from "./load/model-store.ts";
import { PromptCounters } from "./load/prompt-counters.ts";
import { Model } from "./model.ts";
import { takeTurn } from "./run/turn.ts";
import { Service } from "./service.ts";

const graph = new Uint8Array([1, 2, 3]);
const sha256 = "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81";
const small = { ...manifest, file: { path: "model.onnx", bytes: 3, sha256 } };
const digest = await documentDigest(packageManifest.parse(small));

/** Says label 9 for every row, and counts rows. */
async function run({ ids }: Tensors) {
  const rows = ids?.shape[0] ?? 0;
  const data = new Float32Array(rows * 151).map((_, at) => (at % 151 === 9 ? 20 : 0));
  return ok({ logits: { datatype: "FP32", shape: [rows, 151], data } } as const);
}

const call: PredictCall = {
  model: "intent",
  version: "1",
  digest,
  inputs: ["fly me to rome", ""],
  topK: 2,
  logits: false,
};

function serviceOf(waitingRowsMax = 256) {
  const turn = { running: 0, begun: 0 };
  const hop = () => new Promise<void>((resolve) => void setImmediate(resolve));
  const batches: number[] = [];
  const ports = { hop, now: () => 0, unixMs: () => 1000, turn, batchRowsMax: 16 };
  const bundled = [{ manifest: small, graph: graph.buffer, files: { "labels.json": labels } }];
  const alone = <T>(work: () => Promise<T>) => takeTurn(turn, hop, work);
  const store = new ModelStore<Model>({
    find: (ref) => findPackage([bundleSource(bundled)], ref),
    startRuntime: () => ({
      heapBytes: () => 7,
      isBroken: () => false,
      open: async () => ({ run, release: async () => undefined }),
    }),
    serve: (one, files, session) =>
      Model.of(one, files, session, { ...ports, countRun: (rows) => void batches.push(rows) }),
    memoryBytesMax: 96 * 2 ** 20,
    alone,
    now: () => 0,
    wait: hop,
  });
  const service = new Service({
    store,
    counters: new PromptCounters({
      find: (ref) => findPackage([bundleSource(bundled)], ref),
      bytesMax: 1_000,
      now: () => 0,
      wait: hop,
    }),
    bundled: async () => [{ model: "intent", version: "1", digest }],
    hot: async () => [],
    alone,
    waitingRowsMax,
    batches: () => ({}),
    now: () => 0,
  });
  return { service, batches };
}

describe("the service", () => {
  test("counts what it will say that it read, whether the model is loaded or not", async () => {
    const { service, batches } = serviceOf();
    const { inputs, topK: _topK, logits: _logits, ...ref } = call;
    const prompt = { texts: inputs.filter((input) => typeof input === "string") };
    const before = await service.count({ ...ref, prompt });
    expect([(await service.report()).models[0]?.loaded, batches]).toEqual([false, []]);
    const answer = await service.predict(call);
    expect(before).toEqual({ ok: true, value: answer.ok ? answer.value.inputTokens : undefined });
    expect(await service.count({ ...ref, prompt })).toEqual(before);
  });

  test("answers every text in order and counts tokens without padding", async () => {
    const { service } = serviceOf();
    const answer = await service.predict(call);
    if (!answer.ok) throw new Error(answer.fault.cause);
    expect(answer.value.predictions.map(({ label, top }) => [label, top?.length])).toEqual([
      [labels[9], 2],
      [labels[9], 2],
    ]);
    const alone = await Promise.all(call.inputs.map((text) => service.predict({ ...call, inputs: [text] })));
    const tokens = alone.map((one) => (one.ok ? one.value.inputTokens : 0));
    expect(answer.value.inputTokens).toBe((tokens[0] ?? 0) + (tokens[1] ?? 0));
  });

  test("with its queue closed refuses calls and still warms", async () => {
    const { service } = serviceOf(0);
    expect(await service.predict(call)).toMatchObject({ fault: { code: "overloaded" } });
    expect(await service.warm()).toMatchObject({
      ok: true,
      value: { models: [{ name: "intent", version: "1", digest, loaded: true }], wasmHeapBytes: 7, queued: 0 },
    });
  });

  test("warms once, however often it is asked whether it is ready", async () => {
    const { service, batches } = serviceOf();
    await service.warm();
    const runs = batches.length;
    expect((await service.warm()).ok).toBe(true);
    expect(batches).toHaveLength(runs);
  });

  test("is ready though a bundled model was unloaded, and leaves it unloaded", async () => {
    const { service } = serviceOf();
    await service.unload(call);
    expect(await service.warm()).toMatchObject({ ok: true, value: { models: [{ digest, loaded: false }] } });
  });

  test("refuses one bad input of a call with the reason, before anything is run", async () => {
    const { service, batches } = serviceOf();
    const answer = await service.predict({ ...call, inputs: ["fine", { image: "AAAA" }] });
    expect(answer).toMatchObject({ fault: { code: "invalid_shape" } });
    expect(batches).toEqual([]);
  });

  test("runs calls of many callers in one batch: the first counts the run, all say how large it was", async () => {
    const { service, batches } = serviceOf();
    await service.load(call);
    batches.length = 0;
    const answers = await Promise.all(Array.from({ length: 8 }, () => service.predict(call)));
    const timings = answers.map((answer) => (answer.ok ? answer.value.timings : undefined));
    expect(timings.map((each) => each?.batchRows)).toEqual(new Array(8).fill(16));
    expect(timings.map((each) => each?.executions)).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(batches).toEqual([16]);
  });

  test("runs a call of many texts a run at a time, so that another's single call waits for one run of it", async () => {
    const { service, batches } = serviceOf();
    await service.load(call);
    batches.length = 0;
    const many = service.predict({ ...call, inputs: Array.from({ length: 200 }, (_, at) => `text ${at}`) });
    const single = service.predict({ ...call, inputs: ["another's"], share: { of: "b", weight: 1 } });
    const [answer] = await Promise.all([many, single]);
    expect(batches).toEqual([64, 1, 64, 64, 8]);
    expect(answer.ok && [answer.value.predictions.length, answer.value.timings.executions]).toEqual([200, 4]);
  });

  test("answers a call past its deadline with that, and runs nothing for it", async () => {
    const { service, batches } = serviceOf();
    expect(await service.predict({ ...call, deadlineMs: 999 })).toMatchObject({ fault: { code: "deadline_exceeded" } });
    expect(batches).toEqual([]);
  });

  test("takes raw tensors for a model with steps as well", async () => {
    const { service } = serviceOf();
    const ids = { datatype: "INT32", shape: [1, 3], data: Int32Array.of(1, 2, 3) } as const;
    const raw: InferCall = { model: "intent", version: "1", digest, inputs: { ids } };
    const answer = await service.infer(raw);
    expect(answer.ok && answer.value.outputs.logits?.shape).toEqual([1, 151]);
  });
});
