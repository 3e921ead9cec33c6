import {
  type Datatype,
  fail,
  type InferCall,
  type ModelManifest,
  ok,
  type Result,
  type Tensor,
  type TensorData,
  type Tensors,
} from "@ledge/contract";
import { checkTensors } from "./check-tensors.ts";

/** Raw tensors of several calls as one run, and back. Rows lie along the first dimension. */

/** A call whose tensors fit the graph. */
export interface RawCall {
  readonly inputs: Tensors;
  readonly outputs?: readonly string[];
  /** Along the first dimension; 1 where the graph has no batch. */
  readonly rows: number;
}

/**
 * Whether rows of several calls may share a run: the manifest promises that the first dimension is a batch, by leaving it
 * open everywhere and by saying how many rows a run may have. An open first dimension alone could be a sequence.
 */
export function sharesRuns({ inputs, outputs, limits }: ModelManifest): boolean {
  const open = [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
  return open && inputs.length > 0 && (limits.batchMax ?? 1) > 1;
}

/** Checks a call's tensors against the graph. Fault: `invalid_shape`, whose detail names the tensor and what is wrong. */
export function checkRaw(manifest: ModelManifest, { inputs, outputs }: InferCall): Result<RawCall> {
  const fits = checkTensors(manifest, inputs, outputs);
  if (!fits.ok) return fits;
  if (!sharesRuns(manifest)) return ok({ inputs, rows: 1, ...(outputs === undefined ? {} : { outputs }) });
  const counts = [...new Set(Object.values(inputs).map(({ shape }) => shape[0] ?? 0))];
  const [rows = 0] = counts;
  if (counts.length > 1) return fail("invalid_shape", { detail: "The inputs differ in their first dimension." });
  const most = manifest.limits.batchMax ?? 1;
  if (rows < 1 || rows > most) return fail("invalid_shape", { detail: `A call has 1 to ${most} rows, not ${rows}.` });
  return ok({ inputs, rows, ...(outputs === undefined ? {} : { outputs }) });
}

/** Calls with the same key can share a run: same datatypes and shapes but for the rows, same outputs. */
export function rawKey({ inputs, outputs }: RawCall): string {
  const shapes = Object.entries(inputs).map(([name, { datatype, shape }]) => [name, datatype, ...shape.slice(1)]);
  return JSON.stringify([shapes.sort(), outputs ?? "all"]);
}

/** One tensor per input, the calls' rows one after the other. Calls have the same key. */
export function joinRaw(calls: readonly RawCall[]): Tensors {
  const [first] = calls;
  if (first === undefined || calls.length === 1) return first?.inputs ?? {};
  const joined: Record<string, Tensor> = {};
  for (const [name, { datatype, shape }] of Object.entries(first.inputs)) {
    const parts = calls.flatMap(({ inputs }) => inputs[name] ?? []);
    const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
    const data = concat(parts.map((part) => part.data));
    joined[name] = { datatype, shape: [rows, ...shape.slice(1)], data } as Tensor;
  }
  return joined;
}

/** Each call's rows of every output; copies, so that a call's answer does not carry its mates' over RPC. */
export function splitRaw(outputs: Tensors, calls: readonly RawCall[]): Result<Tensors[]> {
  if (calls.length === 1) return ok([outputs]);
  const total = calls.reduce((sum, { rows }) => sum + rows, 0);
  const astray = Object.entries(outputs).find(([, { shape }]) => shape[0] !== total);
  if (astray !== undefined) {
    const [name, { shape }] = astray;
    return fail("upstream_failed", { cause: `${name} came as [${shape.join(", ")}] for ${total} rows.` });
  }
  let from = 0;
  return ok(
    calls.map(({ rows }) => {
      const part: Record<string, Tensor> = {};
      for (const [name, tensor] of Object.entries(outputs)) part[name] = rowsOf(tensor, from, rows, total);
      from += rows;
      return part;
    }),
  );
}

function rowsOf(tensor: Tensor, from: number, rows: number, total: number): Tensor {
  const width = tensor.data.length / total;
  const data = tensor.data.slice(from * width, (from + rows) * width);
  return { datatype: tensor.datatype, shape: [rows, ...tensor.shape.slice(1)], data } as Tensor;
}

function concat(parts: readonly TensorData[Datatype][]): TensorData[Datatype] {
  const [first] = parts;
  if (first === undefined || Array.isArray(first)) return parts.flat() as string[];
  const typed = parts as readonly Float32Array[];
  const length = typed.reduce((sum, part) => sum + part.length, 0);
  const joined = new (first.constructor as Float32ArrayConstructor)(length);
  let at = 0;
  for (const part of typed) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
