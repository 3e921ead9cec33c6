import { withExternalWeights } from "../../../workers/inference/src/load/external-weights.ts";
import { startRuntime } from "../../../workers/inference/src/load/runtime.ts";
import type { Session } from "../../../workers/inference/src/run/run-session.ts";
import { decodeFrame, encodeFrame } from "../src/measure/frame.ts";
import { timeRuns } from "../src/measure/time-runs.ts";

/**
 * The Worker that measures a graph, in an isolate of its own: files in, session, runs. It loads as the inference Worker
 * does, with that Worker's own code, so that what is measured is what will run.
 */

/** More than any Worker has: a model that is too large for the edge should be told how much. */
const heapBytesMax = 2 ** 31;

const runtime = startRuntime(heapBytesMax);
const externals = new Map<string, Uint8Array>();
let session: Session | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      const body = await request.arrayBuffer();
      if (pathname === "/external") {
        externals.set(searchParams.get("location") ?? "", new Uint8Array(body));
        return Response.json({});
      }
      if (pathname === "/load") {
        return Response.json({ loadMs: await load(new Uint8Array(body), searchParams.get("path") ?? "") });
      }
      return await run(body);
    } catch (error) {
      return Response.json({ message: error instanceof Error ? error.message : String(error) }, { status: 500 });
    }
  },
};

/** @returns milliseconds from the bytes to a session, the start of ONNX Runtime included. */
async function load(graph: Uint8Array, path: string): Promise<number> {
  const startedMs = performance.now();
  session = await runtime.open(withExternalWeights(graph, path), new Map([...externals, [path, graph]]));
  return performance.now() - startedMs;
}

async function run(frame: ArrayBuffer): Promise<Response> {
  const { tensors, extra } = decodeFrame(frame);
  const once = async () => {
    const answer = await session?.run(tensors);
    if (answer?.ok !== true) throw new Error(answer?.fault.cause ?? "Nothing is loaded.");
    return answer.value;
  };
  const outputs = await once();
  const medianMs = await timeRuns(once, () => performance.now(), Number(extra));
  return new Response(encodeFrame(outputs, { medianMs, heapBytes: runtime.heapBytes() }));
}
