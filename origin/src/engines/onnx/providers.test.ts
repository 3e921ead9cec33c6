import { expect, test } from "vitest";
import { type Machine, providerFor } from "./providers.ts";

const bare: Machine = { nvidia: false, graphics: false, libraries: { cuda: false, tensorrt: false } };
const machine = (more: Partial<Machine>): Machine => ({ ...bare, ...more });

test.each([
  ["nothing", bare, "cpu", "no graphics device"],
  ["a graphics device", machine({ graphics: true }), "webgpu", "a graphics device"],
  ["an NVIDIA device alone", machine({ nvidia: true }), "cpu", "ONNXRUNTIME_NODE_INSTALL=cuda12"],
  [
    "an NVIDIA device that draws",
    machine({ nvidia: true, graphics: true }),
    "webgpu",
    "ONNXRUNTIME_NODE_INSTALL=cuda12",
  ],
  ["CUDA", machine({ nvidia: true, libraries: { cuda: true, tensorrt: false } }), "cuda", "CUDA library"],
  ["TensorRT", machine({ nvidia: true, libraries: { cuda: true, tensorrt: true } }), "tensorrt", "TensorRT library"],
  ["libraries without a device", machine({ libraries: { cuda: true, tensorrt: true } }), "cpu", "no graphics device"],
])("a machine with %s: the provider, and the reason", (_what, has, provider, reason) => {
  const chosen = providerFor("auto", has);
  expect(chosen.provider).toBe(provider);
  expect(chosen.reason).toContain(reason);
});

test("what the operator asks for is not second-guessed", () => {
  expect(providerFor("cuda", bare)).toEqual({ provider: "cuda", reason: "EXECUTION_PROVIDER says so." });
});
