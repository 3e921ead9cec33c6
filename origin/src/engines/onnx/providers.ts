/** Where ONNX Runtime can run a graph. */
export const providers = ["cpu", "cuda", "tensorrt", "webgpu"] as const;
export type Provider = (typeof providers)[number];

/** What of a machine says which of them work. */
export interface Machine {
  /** An NVIDIA device with its driver. */
  readonly nvidia: boolean;
  /** Any device that Vulkan, Metal or Direct3D could reach. */
  readonly graphics: boolean;
  /** ONNX Runtime's own libraries for a provider: the package carries none for NVIDIA's. */
  readonly libraries: { readonly cuda: boolean; readonly tensorrt: boolean };
}

/** The provider for a graph, and why: a sentence for the log. What the operator asks for is not second-guessed. */
export function providerFor(
  asked: Provider | "auto",
  { nvidia, graphics, libraries }: Machine,
): { readonly provider: Provider; readonly reason: string } {
  if (asked !== "auto") return { provider: asked, reason: "EXECUTION_PROVIDER says so." };
  if (nvidia && libraries.tensorrt) {
    return { provider: "tensorrt", reason: "there is an NVIDIA device and ONNX Runtime's TensorRT library." };
  }
  if (nvidia && libraries.cuda) {
    return { provider: "cuda", reason: "there is an NVIDIA device and ONNX Runtime's CUDA library." };
  }
  const without = nvidia ? "; for CUDA install onnxruntime-node with ONNXRUNTIME_NODE_INSTALL=cuda12" : "";
  if (graphics) return { provider: "webgpu", reason: `there is a graphics device${without}.` };
  return { provider: "cpu", reason: `there is no graphics device that WebGPU could reach${without}.` };
}
