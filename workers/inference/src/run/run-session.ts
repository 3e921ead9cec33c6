import { fail, ok, type Result, type Tensor, type Tensors } from "@ledge/contract";
import * as ort from "onnxruntime-web/wasm";

/**
 * One run of a session. Uses promises but never the event loop, so nothing else runs in the isolate meanwhile.
 * Fault: `upstream_failed`, with what ONNX Runtime said as its cause.
 */
export async function runSession(session: ort.InferenceSession, feeds: Tensors): Promise<Result<Tensors>> {
  try {
    const inputs: Record<string, ort.Tensor> = {};
    for (const [name, tensor] of Object.entries(feeds)) inputs[name] = toOrt(tensor);
    const outputs: Record<string, Tensor> = {};
    for (const [name, value] of Object.entries(await session.run(inputs))) {
      const tensor = fromOrt(value);
      if (tensor !== undefined) outputs[name] = tensor;
    }
    return ok(outputs);
  } catch (error) {
    return fail("upstream_failed", { cause: error instanceof Error ? error.message : String(error) });
  }
}

function toOrt(tensor: Tensor): ort.Tensor {
  if (tensor.datatype === "INT32") return new ort.Tensor("int32", tensor.data, tensor.shape);
  if (tensor.datatype === "INT64") return new ort.Tensor("int64", tensor.data, tensor.shape);
  return new ort.Tensor("float32", tensor.data, tensor.shape);
}

/** Undefined for a datatype that no pipeline reads: its absence is reported by the step that wants it. */
function fromOrt(value: ort.Tensor): Tensor | undefined {
  const { data, dims: shape } = value;
  if (data instanceof Float32Array) return { datatype: "FP32", shape, data };
  if (data instanceof Int32Array) return { datatype: "INT32", shape, data };
  if (data instanceof BigInt64Array) return { datatype: "INT64", shape, data };
  return undefined;
}
