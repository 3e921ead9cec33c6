import { fail, type ModelManifest, ok } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import labels from "../../../../models/intent/1/labels.json" with { type: "json" };
import manifest from "../../../../models/intent/1/model.json" with { type: "json" };
import { createEdgeModel, type LoadPorts } from "./edge-model.ts";

const bundled = { manifest, labels, graph: new ArrayBuffer(0) };

const working: LoadPorts<string> = {
  checkDigest: async () => ok(true),
  createSession: async () => "session",
  runSession: async () => ok({ logits: { datatype: "FP32", shape: [1, 151], data: new Float32Array(151) } }),
  now: () => 0,
};

function modelOf(ports: Partial<LoadPorts<string>>, more: Partial<ModelManifest> = {}) {
  const model = createEdgeModel({ ...bundled, manifest: { ...manifest, ...more } }, { ...working, ...ports });
  if (!model.ok) throw new Error(model.fault.cause);
  return model.value;
}

function runOnce({ servable }: ReturnType<typeof modelOf>) {
  const row = servable.prepare("hello");
  if (!row.ok) throw new Error(row.fault.detail);
  return servable.run([row.value]);
}

describe("a model of the edge", () => {
  test("loads once, at its first run, and says how long that took", async () => {
    let sessions = 0;
    let clockMs = 0;
    const createSession = async () => `session ${++sessions}`;
    const runSession: LoadPorts<string>["runSession"] = (...all) => {
      clockMs += 5;
      return working.runSession(...all);
    };
    const model = modelOf({ createSession, runSession, now: () => clockMs });
    expect([model.isLoaded(), model.loadMs()]).toEqual([false, undefined]);
    await runOnce(model);
    await runOnce(model);
    expect([sessions, model.isLoaded(), model.loadMs()]).toEqual([1, true, 5]);
  });

  test("is not ready when its graph has another digest, and no session is made of it", async () => {
    let sessions = 0;
    const model = modelOf({
      checkDigest: async () => fail("model_not_ready", { cause: "digest" }),
      createSession: async () => `session ${++sessions}`,
    });
    expect(await runOnce(model)).toMatchObject({ ok: false, fault: { code: "model_not_ready", cause: "digest" } });
    expect(sessions).toBe(0);
  });

  test("that failed to load is tried again at the next run", async () => {
    let attempts = 0;
    const createSession = async () => {
      if (++attempts === 1) throw new Error("out of memory");
      return "session";
    };
    const model = modelOf({ createSession });
    expect(await runOnce(model)).toMatchObject({ fault: { code: "model_not_ready", cause: "out of memory" } });
    expect((await runOnce(model)).ok).toBe(true);
  });

  test("whose manifest cannot be read is not ready, and the cause names every fault", () => {
    const broken = createEdgeModel({ ...bundled, manifest: { ...manifest, version: "one", licence: 7 } }, working);
    expect(broken).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!broken.ok) expect(broken.fault.cause).toMatch(/version.*licence/);
  });
});
