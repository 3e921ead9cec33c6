import { fail, ok, type Result, type Tensor, type Tensors } from "@ledge/contract";
import { datatypeOfOrt, ortTypes } from "@ledge/pipeline";
import type * as Ort from "onnxruntime-web/wasm";

/** A graph in the runtime, ready to be run. */
export interface Session {
  /**
   * One run. Uses promises but never the event loop, so nothing else runs in the isolate meanwhile.
   *
   * @param outputs which outputs to compute; all when absent
   * @returns fault `upstream_failed`, with what ONNX Runtime said as its cause
   */
  run(feeds: Tensors, outputs?: readonly string[]): Promise<Result<Tensors>>;
  /** Frees the graph within its runtime. */
  release(): Promise<void>;
}

/** ONNX Runtime's own session, and what it takes to run it. */
export interface OrtSession {
  /** The runtime's tensor class: it takes no other's. */
  readonly Tensor: typeof Ort.Tensor;
  readonly session: Pick<Ort.InferenceSession, "run" | "outputNames">;
  /** Is told whatever was thrown. */
  readonly noteTrap: (error: unknown) => void;
}

/** {@link Session.run} over ONNX Runtime's own session. */
export async function runSession(
  { Tensor: OrtTensor, session, noteTrap }: OrtSession,
  feeds: Tensors,
  outputs: readonly string[] = session.outputNames,
): Promise<Result<Tensors>> {
  try {
    const inputs: Record<string, Ort.Tensor> = {};
    for (const [name, { datatype, data, shape }] of Object.entries(feeds)) {
      inputs[name] = new OrtTensor(ortTypes[datatype], data as never, shape);
    }
    const given = await session.run(inputs, outputs);
    const named: Record<string, Tensor> = {};
    for (const [name, value] of Object.entries(given)) named[name] = fromOrt(value);
    return ok(named);
  } catch (error) {
    noteTrap(error);
    return fail("upstream_failed", { cause: error instanceof Error ? error.message : String(error) });
  }
}

function fromOrt({ type, dims: shape, data }: Ort.Tensor): Tensor {
  const datatype = datatypeOfOrt(type);
  if (datatype === undefined) throw new Error(`An output has elements of type ${type}, which no client can take.`);
  if (datatype !== "FP16") return { datatype, shape, data } as Tensor;
  const halves = data as Uint16Array;
  return { datatype, shape, data: new Uint16Array(halves.buffer, halves.byteOffset, halves.length) };
}
