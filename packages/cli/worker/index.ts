import * as ort from "onnxruntime-web/wasm";
import runtime from "../runtime/ort.wasm";
import { decodeFrame, encodeFrame } from "../src/measure/frame.ts";
import { fromOrt, toOrt } from "../src/measure/ort-tensor.ts";
import { timeRuns } from "../src/measure/time-runs.ts";

/**
 * The Worker that measures a graph, in an isolate of its own: files in, session, runs. It starts ONNX Runtime as the
 * inference Worker does (workers/inference/src/load), with the same copy of it.
 */

const externals: { path: string; data: Uint8Array }[] = [];
let session: ort.InferenceSession | undefined;
let memory: WebAssembly.Memory | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (pathname === "/external") {
        externals.push({ path: searchParams.get("location") ?? "", data: new Uint8Array(await request.arrayBuffer()) });
        return Response.json({});
      }
      if (pathname === "/load") return Response.json({ loadMs: await load(await request.arrayBuffer()) });
      if (pathname === "/run") return await run(await request.arrayBuffer());
      return new Response(null, { status: 404 });
    } catch (error) {
      return Response.json({ message: error instanceof Error ? error.message : String(error) }, { status: 500 });
    }
  },
};

async function load(graph: ArrayBuffer): Promise<number> {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = new ArrayBuffer(8); // Keeps the glue from looking for a file; nobody reads it.
  WebAssembly.instantiate = instantiateBundled as unknown as typeof WebAssembly.instantiate;
  const startedMs = performance.now();
  session = await ort.InferenceSession.create(new Uint8Array(graph), {
    executionProviders: ["wasm"],
    externalData: externals,
  });
  return performance.now() - startedMs;
}

/** Workers may not compile WebAssembly from bytes; the module is compiled already. */
async function instantiateBundled(_bytes: unknown, imports: WebAssembly.Imports) {
  for (const group of Object.values(imports)) {
    for (const value of Object.values(group)) if (value instanceof WebAssembly.Memory) memory = value;
  }
  return { module: runtime, instance: new WebAssembly.Instance(runtime, imports) };
}

async function run(frame: ArrayBuffer): Promise<Response> {
  const { tensors, extra } = decodeFrame(frame);
  const loaded = session;
  if (loaded === undefined) throw new Error("Nothing is loaded.");
  const feeds = toOrt(ort.Tensor, tensors);
  const outputs = fromOrt(await loaded.run(feeds));
  const medianMs = await timeRuns(
    () => loaded.run(feeds),
    () => performance.now(),
    Number(extra),
  );
  return new Response(encodeFrame(outputs, { medianMs, heapBytes: memory?.buffer.byteLength ?? 0 }));
}
