import type { InferenceSession } from "onnxruntime-web/wasm";
import * as ort from "onnxruntime-web/wasm";
import { expect, test } from "vitest";
import { runSession } from "./run-session.ts";

/** A session of which only `run` is there. */
const sessionOf = (run: (feeds: Record<string, ort.Tensor>) => Promise<Record<string, ort.Tensor>>) =>
  ({ run }) as unknown as InferenceSession;

const feeds = { ids: { datatype: "INT32", shape: [1, 2], data: Int32Array.of(3, 4) } } as const;

test("tensors reach the session and come back with their shape", async () => {
  const session = sessionOf(async ({ ids }) => ({
    logits: new ort.Tensor("float32", Float32Array.of(1, 2), ids?.dims),
  }));
  expect(await runSession(session, feeds)).toEqual({
    ok: true,
    value: { logits: { datatype: "FP32", shape: [1, 2], data: Float32Array.of(1, 2) } },
  });
});

test("a throw inside ONNX Runtime is a fault whose cause is for the log", async () => {
  const session = sessionOf(async () => {
    throw new Error("failed to call OrtRun()");
  });
  expect(await runSession(session, feeds)).toEqual({
    ok: false,
    fault: { code: "upstream_failed", cause: "failed to call OrtRun()" },
  });
});
