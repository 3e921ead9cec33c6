import {
  elementBytes,
  elementCount,
  fail,
  type InferInput,
  ok,
  type Result,
  type TensorSpec,
  type WireTensor,
} from "@ledge/contract";
import type { InferFrame } from "./frame.ts";

/** A raw body becomes the model's one input, whose variable dimension follows from the body's length. */
export function givenTensors({ body }: InferFrame, specs: readonly TensorSpec[]): Result<readonly WireTensor[]> {
  if ("tensors" in body) return ok(body.tensors);
  const [spec, ...others] = specs;
  if (spec === undefined || others.length > 0) {
    return fail("invalid_shape", { detail: "A raw body is one tensor: the model must have one input." });
  }
  return ok([rawTensor(spec, body.raw)]);
}

function rawTensor({ name, datatype, shape }: TensorSpec, raw: Uint8Array): WireTensor {
  const head = (dims: readonly number[]): InferInput => ({ name, datatype, shape: [...dims] });
  if (datatype === "BYTES") {
    const bytes = new Uint8Array(4 + raw.length);
    new DataView(bytes.buffer).setUint32(0, raw.length, true);
    bytes.set(raw, 4);
    return { head: head(shape.map(() => 1)), bytes };
  }
  // The batch is one row; what else is variable takes the rest.
  const dims = shape.map((dimension, i) => (i === 0 && dimension === -1 && shape.length > 1 ? 1 : dimension));
  const fixed = elementCount(dims.filter((dimension) => dimension !== -1));
  const rest = Math.floor(raw.length / elementBytes[datatype] / fixed);
  return { head: head(dims.map((dimension) => (dimension === -1 ? rest : dimension))), bytes: raw };
}
