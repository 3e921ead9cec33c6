import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { type Datatype, type PredictInput, predictInput, type Tensor, type Tensors } from "@ledge/contract";
import * as z from "zod/mini";
import type { GraphFacts, GraphValue } from "../inspect/read-graph.ts";
import { Refusal } from "../refusal.ts";

/** Turns what callers send into feeds of the graph. */
export type Prepare = (inputs: readonly PredictInput[]) => Promise<readonly Tensors[]>;

/**
 * Reads inputs to run. What callers send, as a list (texts, `{"image"}` or `{"audio"}` in base64), goes through `prepare`.
 * Else one request of the Open Inference Protocol (`{"inputs": [{"name", "shape", "data"}]}`), or a list of
 * them. Types are the graph's; data may be flat or nested.
 *
 * @throws Refusal naming the file and the input.
 */
export async function readSamples(
  path: string,
  facts: Pick<GraphFacts, "inputs">,
  prepare?: Prepare,
): Promise<readonly Tensors[]> {
  const file = basename(path);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new Refusal(`${file} cannot be read as JSON: ${error instanceof Error ? error.message : error}.`);
  }
  const requests = Array.isArray(value) ? value : [value];
  if (requests.length === 0) throw new Refusal(`${file} holds no inputs.`);
  const inputs = z.array(predictInput).safeParse(requests);
  if (inputs.success) {
    if (prepare !== undefined) return prepare(inputs.data);
    throw new Refusal(`${file} holds inputs for a package's steps, and this is a graph alone: write tensors.`);
  }
  return requests.map((request) => feedsOf(request, facts, file));
}

function feedsOf(request: unknown, { inputs }: Pick<GraphFacts, "inputs">, file: string): Tensors {
  const given = isRecord(request) && Array.isArray(request.inputs) ? request.inputs : undefined;
  if (given === undefined) throw new Refusal(`${file} has no "inputs": write {"inputs": [{"name", "shape", "data"}]}.`);
  const byName = new Map(given.filter(isRecord).map((one) => [one.name, one]));
  const feeds = inputs.map((input) => {
    const found = byName.get(input.name);
    if (found === undefined) throw new Refusal(`${file} lacks the input '${input.name}'.`);
    return [input.name, tensorOf(input, found, file)] as const;
  });
  return Object.fromEntries(feeds);
}

function tensorOf(input: GraphValue, { shape, data }: Record<string, unknown>, file: string): Tensor {
  const says = `${file}: the input '${input.name}'`;
  if (!Array.isArray(data)) throw new Refusal(`${says} has no data: write "data": [ … ].`);
  const flat: unknown[] = data.flat(Number.POSITIVE_INFINITY);
  const dims = Array.isArray(shape) ? shape.map(Number) : shapeOf(data);
  const elements = dims.reduce((product, size) => product * size, 1);
  if (elements !== flat.length || dims.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new Refusal(`${says} has ${flat.length} elements, which do not make the shape [${dims.join(", ")}].`);
  }
  try {
    return { datatype: input.datatype, shape: dims, data: arrayOf(input.datatype, flat) } as Tensor;
  } catch {
    throw new Refusal(`${says} holds a value that is no ${input.datatype}.`);
  }
}

function shapeOf(data: readonly unknown[]): number[] {
  const shape: number[] = [];
  for (let at: unknown = data; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
}

/** Throws for a value of another type. */
function arrayOf(datatype: Datatype, values: readonly unknown[]): Tensor["data"] {
  if (datatype === "BYTES") return values.map(textOf);
  if (datatype === "INT64") return BigInt64Array.from(values, bigOf);
  if (datatype === "UINT64") return BigUint64Array.from(values, bigOf);
  if (datatype === "FP16") return Uint16Array.from(values, (value) => halfOf(numberOf(value)));
  return arrays[datatype].from(values.map(numberOf));
}

const arrays = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("no text");
  return value;
}

function numberOf(value: unknown): number {
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "number") throw new TypeError("no number");
  return value;
}

function bigOf(value: unknown): bigint {
  if (typeof value !== "number" && typeof value !== "string") throw new TypeError("no whole number");
  return BigInt(value);
}

/** The bits of the IEEE 754 binary16 nearest to a number, ties away from zero; too large becomes infinite. */
function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65_520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -24)));
  const fraction = Math.round(size * 2 ** (10 - exponent));
  // A fraction that rounds up to 2,048 carries into the exponent by itself.
  return sign | (fraction < 1024 ? fraction : ((exponent + 14) << 10) + fraction);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
