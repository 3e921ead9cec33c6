import * as ort from "onnxruntime-web/wasm";
import runtime from "../../runtime/ort.wasm";

const instantiatePublished = WebAssembly.instantiate;

let memory: WebAssembly.Memory | undefined;

/** Bytes of ONNX Runtime's linear memory, which never shrinks; 0 before the first session. */
export function wasmHeapBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}

/**
 * Creates a session from the bytes of a graph. The first one starts ONNX Runtime itself.
 *
 * @throws Error from ONNX Runtime, when the graph is broken or memory is short.
 */
export async function createSession(graph: ArrayBuffer): Promise<ort.InferenceSession> {
  if (memory !== undefined) return open(graph);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = new ArrayBuffer(8); // Keeps the glue from looking for a file; nobody reads it.
  WebAssembly.instantiate = instantiateBundled as unknown as typeof WebAssembly.instantiate;
  try {
    return await open(graph);
  } finally {
    WebAssembly.instantiate = instantiatePublished;
  }
}

function open(graph: ArrayBuffer): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: ["wasm"] });
}

/**
 * Stands in for `WebAssembly.instantiate` while ONNX Runtime starts: Workers may not compile WebAssembly from bytes, and
 * the runtime has no hook for a module that is compiled already.
 */
async function instantiateBundled(_bytes: unknown, imports: WebAssembly.Imports) {
  for (const group of Object.values(imports)) {
    for (const value of Object.values(group)) if (value instanceof WebAssembly.Memory) memory = value;
  }
  return { module: runtime, instance: new WebAssembly.Instance(runtime, imports) };
}
