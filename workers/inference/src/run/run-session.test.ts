import * as ort from "onnxruntime-web/wasm";
import { expect, test, vi } from "vitest";
import { type OrtSession, runSession } from "./run-session.ts";

type Run = (feeds: Record<string, ort.Tensor>) => Promise<Record<string, ort.Tensor>>;

/** A session of which only `run` and the names are there. */
const sessionOf = (run: Run, noteTrap = vi.fn()): OrtSession => ({
  Tensor: ort.Tensor,
  session: { run: run as OrtSession["session"]["run"], outputNames: ["logits"] },
  noteTrap,
});

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
  const noteTrap = vi.fn();
  const error = new Error("failed to call OrtRun()");
  const session = sessionOf(() => Promise.reject(error), noteTrap);
  expect(await runSession(session, feeds)).toEqual({
    ok: false,
    fault: { code: "upstream_failed", cause: "failed to call OrtRun()" },
  });
  expect(noteTrap).toHaveBeenCalledWith(error);
});
