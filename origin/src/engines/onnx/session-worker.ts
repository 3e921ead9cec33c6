import { parentPort, workerData } from "node:worker_threads";
import { fail, ok, type Result, type Tensors } from "@ledge/contract";
import * as ort from "onnxruntime-node";
import { fromOrt, toOrt } from "./ort-tensors.ts";
import type { FromSession, SessionOrder, ToSession } from "./session-messages.ts";

/** One session in a thread of its own: ONNX Runtime for Node runs on the thread that calls it, and a long run would stop all else. */

const say = (message: FromSession) => parentPort?.postMessage(message);

async function serve({ path, threads, provider }: SessionOrder): Promise<void> {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, {
      executionProviders: provider === "cpu" ? ["cpu"] : [provider, "cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // Without VNNI, int8 products overflow by default on x86; the edge computes them exactly, and so must the origin.
      extra: { session: { x64quantprecision: "1" } },
    });
  } catch (error) {
    return say({ kind: "refused", reason: String(error).slice(0, 500) });
  }
  // Given a run, the runtime begins it a turn of the event loop later: what was asked before the end is done before the end.
  let latest: Promise<unknown> = Promise.resolve();
  parentPort?.on("message", async (message: ToSession) => {
    if (message === "close") {
      await latest;
      await session.release();
      return parentPort?.close();
    }
    const { id, feeds, wanted } = message;
    latest = run(session, feeds, wanted).then((outcome) => say({ kind: "done", id, outcome }));
  });
  say({ kind: "open", inputNames: session.inputNames, outputNames: session.outputNames });
}

async function run(session: ort.InferenceSession, feeds: Tensors, wanted: readonly string[]): Promise<Result<Tensors>> {
  try {
    return ok(fromOrt(await session.run(toOrt(feeds), wanted)));
  } catch (error) {
    return fail("upstream_failed", { cause: String(error).slice(0, 500) });
  }
}

await serve(workerData as SessionOrder);
