import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { InferenceReport, PredictCall, Prediction, Result } from "@ledge/contract";
import { createServable, type Run } from "@ledge/pipeline";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { intent, intentDir, intentManifest, readJson, startInference } from "./inference-harness.ts";

const golden: { readonly generated: readonly { readonly text: string }[] } = readJson(
  join(intentDir, "features.golden.json"),
);
const texts = golden.generated.slice(0, 200).map(({ text }) => text);

const slowHop = { "./run/hop.ts": join(import.meta.dirname, "inference-slow-hop.mjs") };
const { harness, predict, report } = startInference({
  bare: { main: join(import.meta.dirname, "inference-without-shared-memory.mjs") },
  narrow: { vars: { QUEUE_ROWS_MAX: 2 } },
  slow: { vars: { QUEUE_ROWS_MAX: 8 }, alias: slowHop },
});

const callOf = (texts: readonly string[], more: Partial<PredictCall> = {}): PredictCall => ({
  ...intent,
  inputs: [...texts],
  topK: 5,
  logits: true,
  ...more,
});

async function predictions(calls: readonly PredictCall[], worker = "edge") {
  return (await predict(calls, worker)).map((answer) => {
    if (!answer.ok) throw new Error(`${answer.fault.code}: ${answer.fault.cause}`);
    return answer.value.predictions;
  });
}

beforeAll(() => harness.listen());
afterAll(() => harness.close());

describe("the inference Worker", () => {
  test("loads nothing until it is asked, then warms every model and says so, within 40 MiB of WebAssembly memory", async () => {
    expect(await report()).toEqual({
      models: [{ name: "intent", version: "1", digest: intent.digest, loaded: false }],
      wasmHeapBytes: 0,
      queued: 0,
      batches: {},
    });
    const warmed = (await (await harness.fetch("/edge/warm")).json()) as Result<InferenceReport>;
    if (!warmed.ok) throw new Error(warmed.fault.cause);
    expect(warmed.value.models).toMatchObject([{ name: "intent", version: "1", loaded: true }]);
    expect(warmed.value.wasmHeapBytes).toBeGreaterThan(0);
    expect(warmed.value.wasmHeapBytes).toBeLessThanOrEqual(40 * 2 ** 20);
    expect(warmed.value.loadMs).toBeGreaterThanOrEqual(0);
  });

  test("runs its model where SharedArrayBuffer is deleted and shared memory refused, with the same logits", async () => {
    const calls = [callOf(texts.slice(0, 20))];
    expect(await predictions(calls, "bare")).toEqual(await predictions(calls, "edge"));
  });

  test("answers HTTP with 404 only, and offers no method beyond the contract", async () => {
    expect((await harness.fetch("/edge/anything")).status).toBe(404);
    const service = await harness.getWorker("ledge-inference").getExport();
    const hidden = service as unknown as { service(): Promise<unknown> };
    await expect(async () => hidden.service()).rejects.toThrow(/does not implement/);
  });

  test("knows no other model and no other content", async () => {
    const answers = await predict([callOf(["hi"], { digest: "0".repeat(64) }), callOf(["hi"], { model: "other" })]);
    expect(answers.map((answer) => (answer.ok ? "answered" : answer.fault.code))).toEqual([
      "model_not_found",
      "model_not_found",
    ]);
  });
});

describe("an answer", () => {
  test("has the same logits alone, in a call of 64, and among calls that share its batch", async () => {
    const some = texts.slice(0, 64);
    const [together] = await predictions([callOf(some)]);
    const shared = await predictions(some.map((text) => callOf([text])));
    const alone = await predict(
      some.slice(0, 16).map((text) => callOf([text])),
      "edge",
      "serially",
    );
    expect(shared.map(([one]) => one)).toEqual(together);
    expect(alone.map((answer) => answer.ok && answer.value.predictions[0])).toEqual(together?.slice(0, 16));
  });

  test("agrees with native onnxruntime-node on 200 texts: the same label, logits to 1e-4", async () => {
    const edge = (await predictions(chunks(texts, 50).map((part) => callOf(part)))).flat();
    const reference = await nativePredictions(texts);
    let furthest = 0;
    for (const [index, expected] of reference.entries()) {
      expect(edge[index]?.label).toBe(expected.label);
      for (const [at, logit] of (expected.logits ?? []).entries()) {
        furthest = Math.max(furthest, Math.abs(logit - (edge[index]?.logits?.[at] ?? Number.NaN)));
      }
    }
    expect(edge.length).toBe(200);
    expect(furthest).toBeLessThan(1e-4);
  });

  test("comes even to the largest call the contract allows, and memory stays within 40 MiB", async () => {
    const long = Array.from({ length: 64 }, (_, at) => `${at} ${"the quick brown fox ".repeat(400)}`);
    const [answer] = await predictions([callOf(long)]);
    expect(answer?.length).toBe(64);
    expect((await report()).wasmHeapBytes).toBeLessThanOrEqual(40 * 2 ** 20);
  });
});

describe("calls that arrive together", () => {
  test("wait together, are refused as overloaded over the bound of the queue, and the next call is served", async () => {
    const calls = Array.from({ length: 5 }, () => callOf(["hello"]));
    const codes = (await predict(calls, "narrow")).map((answer) => (answer.ok ? "answered" : answer.fault.code));
    expect(codes).toEqual(["answered", "answered", "overloaded", "overloaded", "overloaded"]);
    expect((await predict([callOf(["hello"])], "narrow"))[0]?.ok).toBe(true);
    expect((await report("narrow")).queued).toBe(0);
  });

  test("are answered though the first of them, who would run the batch, is cancelled while it waits", async () => {
    const calls = Array.from({ length: 7 }, (_, at) => callOf([`caller ${at}`]));
    const expected = (await predictions(calls)).slice(1);
    for (let round = 0; round < 3; round++) {
      const answers = await predict(calls, "slow", "abandon?ms=5");
      expect(answers.map((answer) => answer.ok && answer.value.predictions)).toEqual(expected);
    }
    expect((await report("slow")).queued).toBe(0);
  });

  test("find the places of callers who went away free again after one refusal", async () => {
    await predict([callOf(texts.slice(0, 8))], "slow", "abandon?ms=5");
    expect((await report("slow")).queued).toBe(8); // Cancelled for certain: nobody came back for these rows.
    expect((await predict([callOf(["next"])], "slow"))[0]).toMatchObject({ fault: { code: "overloaded" } });
    expect((await predict([callOf(["next"])], "slow"))[0]?.ok).toBe(true);
    expect((await report("slow")).queued).toBe(0);
  });
});

async function nativePredictions(texts: readonly string[]): Promise<Prediction[]> {
  const session = await ort.InferenceSession.create(join(intentDir, "model.onnx"), { intraOpNumThreads: 1 });
  const run: Run = async (feeds) => {
    const ids = feeds.ids;
    if (ids?.datatype !== "INT32") throw new Error("The model takes ids as INT32.");
    const { logits } = await session.run({ ids: new ort.Tensor("int32", ids.data, ids.shape) });
    return {
      ok: true,
      value: { logits: { datatype: "FP32", shape: logits?.dims ?? [], data: logits?.data as Float32Array } },
    };
  };
  const files = new Map([["labels.json", readFileSync(join(intentDir, "labels.json"))]]);
  const servable = createServable({ manifest: intentManifest, files, run });
  if (!servable.ok) throw new Error(servable.fault.cause);
  const rows = texts.map(servable.value.prepare).flatMap((row) => (row.ok ? [row.value] : []));
  const outputs = await servable.value.run(rows);
  if (!outputs.ok) throw new Error(outputs.fault.cause);
  return outputs.value.map((row) => servable.value.shape(row, { topK: 5, logits: true }));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
