import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PredictCall } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageOf, refOf, sha256 } from "../support/model-package.ts";
import { identity, graphPackage as packaged, value } from "../support/onnx/graph-package.ts";
import { type AttributeValue, type Graph, writeOnnx } from "../support/onnx/write-onnx.ts";
import { intent, intentDir, intentManifest, startInference } from "./inference-harness.ts";
import type { TensorsJson } from "./inference-tensors.ts";

/** Models that are not in the bundle: any ONNX graph, by its content, from the bucket. */

const { harness, infer, predict, load, unload, report, store, remove, put, post } = startInference({
  small: { vars: { MEMORY_BYTES_MAX: 40 * 2 ** 20 } },
  preloads: {},
});

beforeAll(() => harness.listen());
afterAll(() => harness.close());

async function answer(call: Parameters<typeof infer>[0][number], worker = "edge"): Promise<TensorsJson> {
  const [given] = await infer([call], worker);
  if (given?.ok !== true) throw new Error(`${given?.fault.code}: ${given?.fault.detail} ${given?.fault.cause}`);
  return given.value.outputs;
}

describe("load", () => {
  test("verifies the digest and runs the warm-up samples for each batch size in use before it answers", async () => {
    const before = (await report()).batches;
    const ref = await store(packaged("warmed", identity("FP32"), {}, 32));
    const loaded = await load(ref);
    expect(loaded).toMatchObject({ ok: true, value: { warmed: [1, 8, 16, 32] } });
    const { batches, models } = await report();
    for (const size of ["1", "8", "16", "32"]) expect(batches[size] ?? 0).toBe((before[size] ?? 0) + 1);
    expect(models).toContainEqual({ name: "warmed", version: "1", digest: ref.digest, loaded: true });
    expect(await load(ref)).toMatchObject({ ok: true, value: { loadMs: 0 } });
  });

  test("warms a text model with a text through its own steps", async () => {
    expect(await load(intent)).toMatchObject({ ok: true, value: { warmed: [1, 8, 16, 32] } });
  });

  const tamper = (bytes: Uint8Array) => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);

  test("of a package whose file has other bytes than its manifest says is not ready, and says which", async () => {
    const test = packaged("tampered", identity("FP32"));
    const ref = await store(test);
    await put("store", `blobs/${test.manifest.file.sha256}`, tamper(writeOnnx(identity("FP32"))));
    const given = await load(ref);
    expect(given).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!given.ok) expect(given.fault.cause).toMatch(/model\.onnx has SHA-256/);
    expect((await report()).models.some(({ digest }) => digest === ref.digest)).toBe(false);
  });

  test("of a package whose document has other bytes than its digest says is not ready", async () => {
    const { manifest } = packaged("forged", identity("FP32"));
    await put("store", `blobs/${refOf(manifest).digest}`, "{}");
    expect(await load(refOf(manifest))).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
  });

  test("of a package with a missing file is not ready, and works once it is stored", async () => {
    const test = packaged("partial", identity("INT8"));
    const ref = await store(test);
    const { sha256: graph } = test.manifest.file;
    await remove(graph);
    const given = await load(ref);
    expect(given).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!given.ok) expect(given.fault.cause).toContain("is not stored");
    await store(test);
    expect((await load(ref)).ok).toBe(true);
  });

  test("of a graph that ONNX Runtime refuses is not ready, with its reason", async () => {
    const bytes = Uint8Array.from({ length: 500 }, (_, at) => (at * 31) % 251);
    const { inputs, outputs } = identity("FP32");
    const broken = packageOf("broken", { "model.onnx": bytes }, {
      inputs: [...inputs],
      outputs: [...outputs],
    } as never);
    expect(await load(await store(broken))).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    const unknown: Graph = { ...identity("FP32"), nodes: [{ op: "NoSuchOperator", inputs: ["x"], outputs: ["y"] }] };
    const given = await load(await store(packaged("unknown-operator", unknown)));
    expect(given).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!given.ok) expect(given.fault.cause).toContain("NoSuchOperator");
  });

  test("of many callers at once loads once", async () => {
    const ref = await store(packaged("crowd", identity("UINT8")));
    const x = { datatype: "UINT8", shape: [1, 2], data: [1, 2] } as const;
    const answers = await infer(Array.from({ length: 20 }, () => ({ ...ref, inputs: { x } })));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    const { models } = await report();
    expect(models.filter(({ digest }) => digest === ref.digest)).toHaveLength(1);
  });

  test("of what nobody stored is not found", async () => {
    const given = await load({ model: "nobody", version: "1", digest: sha256("nobody") });
    expect(given).toMatchObject({ ok: false, fault: { code: "model_not_found" } });
  });
});

describe("unload", () => {
  const x = { datatype: "FP32", shape: [1, 2], data: [1, 2] } as const;

  test("refuses new calls as not ready until the model is loaded again", async () => {
    const ref = await store(packaged("leaving", identity("FP32")));
    expect((await load(ref)).ok).toBe(true);
    expect(await unload(ref)).toEqual({ ok: true, value: { unloaded: true } });
    expect((await infer([{ ...ref, inputs: { x } }]))[0]).toMatchObject({ fault: { code: "model_not_ready" } });
    expect((await report()).models.some(({ digest }) => digest === ref.digest)).toBe(false);
    expect(await unload(ref)).toEqual({ ok: true, value: { unloaded: false } });
    expect((await load(ref)).ok).toBe(true);
    expect((await infer([{ ...ref, inputs: { x } }]))[0]?.ok).toBe(true);
  });

  test("drains: calls that came before it are answered", async () => {
    const ref = await store(packaged("draining", identity("FP32"), {}, 4));
    await load(ref);
    const calls = Array.from({ length: 30 }, () => ({ method: "infer", call: { ...ref, inputs: { x } } }));
    const answers = await post<{ ok: boolean }>("mixed", [...calls, { method: "unload", call: ref }], "edge");
    expect(answers.map(({ ok }) => ok)).toEqual(new Array(31).fill(true));
  });

  test("races with loads and calls: every call is answered or refused as not ready, and the last word holds", async () => {
    const ref = await store(packaged("raced", identity("FP32"), {}, 4));
    for (let round = 0; round < 5; round++) {
      const acts = ["infer", "load", "unload", "infer", "infer", "unload", "load", "infer"].flatMap((method) => [
        { method, call: method === "infer" ? { ...ref, inputs: { x } } : ref },
      ]);
      const answers = await post<{ ok: boolean; fault?: { code: string } }>("mixed", acts, "edge");
      expect(answers).toHaveLength(acts.length);
      for (const { ok, fault } of answers) if (!ok) expect(fault?.code).toBe("model_not_ready");
    }
    expect((await load(ref)).ok).toBe(true);
    expect((await infer([{ ...ref, inputs: { x } }]))[0]?.ok).toBe(true);
  });
});

describe("the memory budget", () => {
  /** A model of so many MiB of weights. */
  function heavy(name: string, mib: number) {
    const length = (mib * 2 ** 20) / 4;
    const graph: Graph = {
      inputs: [value("x", "FP32", [1])],
      outputs: [value("y", "FP32", [1])],
      initializers: [{ ...value("w", "FP32", [length]), data: new Float32Array(length).fill(1) }],
      nodes: [
        { op: "ReduceMax", inputs: ["w"], outputs: ["most"], attributes: { keepdims: 0 as AttributeValue } },
        { op: "Add", inputs: ["x", "most"], outputs: ["y"] },
      ],
    };
    return packaged(name, graph);
  }
  const x = { datatype: "FP32", shape: [1], data: [1] } as const;

  test("lets the least recently used go for the next, and loads it again when it is called", async () => {
    const refs = [await store(heavy("heavy-a", 9)), await store(heavy("heavy-b", 9))];
    const loaded = async () => (await report("small")).models.filter((one) => one.loaded).map(({ name }) => name);
    for (const ref of [refs[0], refs[1], refs[0]]) {
      if (ref === undefined) continue;
      expect((await answer({ ...ref, inputs: { x } }, "small")).y?.data).toEqual([2]);
      expect(await loaded()).toEqual([ref.model]);
      expect((await report("small")).wasmHeapBytes).toBeLessThanOrEqual(40 * 2 ** 20);
    }
  });

  test("refuses a model that cannot fit, with the figures, and keeps what is loaded", async () => {
    const before = await report("small");
    const given = await load(await store(heavy("huge", 30)), "small");
    expect(given).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!given.ok) expect(given.fault.cause).toMatch(/needs 63 MiB beside the runtime; of 40 MiB/);
    expect((await report("small")).models).toEqual(before.models);
  });

  test("gives the memory of a large model back with its runtime", async () => {
    const ref = await store(heavy("returned", 20));
    const before = (await report()).wasmHeapBytes;
    await load(ref);
    expect((await report()).wasmHeapBytes).toBeGreaterThan(before + 20 * 2 ** 20);
    await unload(ref);
    expect((await report()).wasmHeapBytes).toBe(before);
  });
});

describe("preloading", () => {
  const call: PredictCall = { ...intent, inputs: ["hi"], topK: 1, logits: false };

  test("loads after the first answer what usage says is hot, and nothing that is unloaded or not for the edge", async () => {
    const [hot, cold, far] = [
      packaged("hot", identity("FP32")),
      packaged("cold", identity("INT32")),
      packaged("far", identity("INT64")),
    ];
    for (const one of [hot, cold, far]) await store(one);
    const version = ({ manifest }: typeof hot, state = "ready", tiers = ["edge"]) => ({
      versions: [{ version: "1", digest: refOf(manifest).digest, state, manifest: { ...manifest, tiers } }],
    });
    const models = { hot: version(hot), cold: version(cold, "unloaded"), far: version(far, "ready", ["origin"]) };
    const digests = [hot, cold, far].map(({ manifest }) => refOf(manifest).digest);
    await put("snapshots", "snapshot:7", JSON.stringify({ number: 7, hot: ["f".repeat(64), ...digests], models }));
    await put("snapshots", "current", "7");
    expect((await predict([call], "preloads"))[0]?.ok).toBe(true);
    const names = async () => (await report("preloads")).models.filter((one) => one.loaded).map(({ name }) => name);
    await expect.poll(names, { timeout: 20_000 }).toEqual(["intent", "hot"]);
  });

  test("of a registry that cannot be read fails nothing", async () => {
    await put("snapshots", "current", "8");
    await put("snapshots", "snapshot:8", "{ torn");
    const warmed = (await (await harness.fetch("/edge/warm")).json()) as { ok: boolean };
    expect(warmed.ok).toBe(true);
  });
});

test("a package in the store gives the same answers as the same package in the bundle", async () => {
  const labels = readFileSync(join(intentDir, "labels.json"));
  const copy = {
    ...intentManifest,
    name: "intent-copy",
    files: [{ path: "labels.json", bytes: labels.length, sha256: sha256(labels) }],
  };
  const graph = readFileSync(join(intentDir, "model.onnx"));
  const ref = await store({ manifest: copy, files: { "model.onnx": graph, "labels.json": labels } });
  const calls = [intent, ref].map((one) => ({
    ...one,
    inputs: ["fly me to rome", "what's my balance"],
    topK: 3,
    logits: true,
  }));
  const [bundled, stored] = await predict(calls);
  expect(stored?.ok && stored.value.predictions).toEqual(bundled?.ok && bundled.value.predictions);
});
