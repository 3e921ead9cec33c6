import type { Result, Tensors } from "@ledge/contract";
import { createRuntime } from "../../runtime/ort.mjs";
import wasm from "../../runtime/ort.wasm";
import { runSession } from "../run/run-session.ts";
import type { Runtime } from "./hosts.ts";

const pageBytes = 65_536;

/**
 * Starts an ONNX Runtime with a WebAssembly memory of its own. The memory never shrinks: letting go of the runtime and of
 * every session in it is what gives it back.
 *
 * @param heapBytesMax what the memory may grow to; a run that wants more fails
 */
export function startRuntime(heapBytesMax: number): Runtime {
  const { ort, heapBytes } = startOrt(heapBytesMax);
  let isBroken = false;

  /** After a trap the runtime's own state is torn, whatever it was doing. */
  function noteTrap(error: unknown): void {
    if (error instanceof WebAssembly.RuntimeError) isBroken = true;
  }

  async function open(graph: Uint8Array, externalData: ReadonlyMap<string, Uint8Array>) {
    try {
      const session = await ort.InferenceSession.create(graph, {
        executionProviders: ["wasm"],
        externalData: Array.from(externalData, ([path, data]) => ({ path, data })),
      });
      return {
        run: (feeds: Tensors, outputs?: readonly string[]): Promise<Result<Tensors>> =>
          runSession({ Tensor: ort.Tensor, session, noteTrap }, feeds, outputs),
        release: () => session.release(),
      };
    } catch (error) {
      noteTrap(error);
      throw error;
    }
  }

  return { heapBytes, isBroken: () => isBroken, open };
}

/** The library as it is published but for our edits, and a look at its memory. */
export function startOrt(heapBytesMax: number) {
  let memory: WebAssembly.Memory | undefined;
  const ort = createRuntime(
    (imports, done) => {
      memory = memoryOf(imports);
      done(new WebAssembly.Instance(wasm, imports), wasm);
      return {};
    },
    Math.floor(heapBytesMax / pageBytes),
  );
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = new ArrayBuffer(8); // Keeps the glue from looking for a file; nobody reads it.
  ort.env.logLevel = "error";
  return { ort, heapBytes: () => memory?.buffer.byteLength ?? 0 };
}

function memoryOf(imports: WebAssembly.Imports): WebAssembly.Memory | undefined {
  const all = Object.values(imports).flatMap((group) => Object.values(group));
  return all.find((value) => value instanceof WebAssembly.Memory);
}
