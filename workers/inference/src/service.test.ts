import { fail, type PredictCall } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import labels from "../../../models/intent/1/labels.json" with { type: "json" };
import manifest from "../../../models/intent/1/model.json" with { type: "json" };
import { createEdgeModel, type LoadPorts } from "./load/edge-model.ts";
import { Service, type ServicePorts } from "./service.ts";

const ports: LoadPorts<string> = {
  checkDigest: async () => ({ ok: true, value: true }),
  createSession: async () => "session",
  runSession: async (_session, { ids }) => {
    const rows = ids?.shape[0] ?? 0;
    const data = new Float32Array(rows * 151).map((_, at) => (at % 151 === 9 ? 20 : 0));
    return { ok: true, value: { logits: { datatype: "FP32", shape: [rows, 151], data } } };
  },
  now: () => 0,
};

const closed = { waitingRowsMax: 0, batchRowsMax: 16 };
const open = { waitingRowsMax: 256, batchRowsMax: 16 };
const call: PredictCall = {
  model: "intent",
  version: "1",
  digest: "0".repeat(64),
  inputs: ["fly me to rome", ""],
  topK: 2,
  logits: false,
};

function serviceOf(models?: ServicePorts["models"]) {
  const intent = createEdgeModel({ manifest, labels, graph: new ArrayBuffer(0) }, ports);
  const hop = () => Promise.resolve();
  return new Service({ models: models ?? [intent], wasmHeapBytes: () => 7, hop, now: () => 0 });
}

describe("the service", () => {
  test("answers every text in order and counts tokens without padding", async () => {
    const answer = await serviceOf().predict(call, open);
    if (!answer.ok) throw new Error(answer.fault.cause);
    expect(answer.value.predictions.map(({ label, top }) => [label, top?.length])).toEqual([
      [labels[9], 2],
      [labels[9], 2],
    ]);
    const [first, second] = await Promise.all(
      call.inputs.map((text) => serviceOf().predict({ ...call, inputs: [text] }, open)),
    );
    const tokens = [first, second].map((one) => (one?.ok ? one.value.inputTokens : 0));
    expect(answer.value.inputTokens).toBe((tokens[0] ?? 0) + (tokens[1] ?? 0));
  });

  test("with its queue closed refuses calls and still warms", async () => {
    const service = serviceOf();
    expect(await service.predict(call, closed)).toMatchObject({ fault: { code: "overloaded" } });
    expect(await service.warm(closed)).toMatchObject({
      ok: true,
      value: { models: [{ name: "intent", version: "1", loaded: true }], wasmHeapBytes: 7, queued: 0, loadMs: 0 },
    });
  });

  test("says not ready, and why, when a package cannot be read", async () => {
    const service = serviceOf([fail("model_not_ready", { cause: "model.json: broken" })]);
    const fault = { code: "model_not_ready", cause: "model.json: broken" };
    expect(await service.predict(call, open)).toEqual({ ok: false, fault });
    expect(await service.warm(open)).toEqual({ ok: false, fault });
    expect(service.report()).toEqual({ models: [], wasmHeapBytes: 7, queued: 0, batches: {} });
  });
});
