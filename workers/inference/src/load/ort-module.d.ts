/** `scripts/build-runtime.ts` makes this module: the published onnxruntime-web as a function. */
declare module "*/runtime/ort.mjs" {
  /**
   * An ONNX Runtime of its own, which starts at its first session.
   *
   * @param instantiate makes the WebAssembly instance, hands it over, and returns anything (Emscripten's `instantiateWasm`)
   * @param pagesMax what its memory may grow to, pages of 64 KiB
   */
  export function createRuntime(
    instantiate: (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) => object,
    pagesMax: number,
  ): Pick<typeof import("onnxruntime-web/wasm"), "InferenceSession" | "Tensor" | "env">;
}
