import { type InferInput, type InferRequest, inferRequest } from "../infer.ts";
import { parse } from "../parse.ts";
import { fail, ok, type Result } from "../result.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { answerHeads } from "./answer-heads.ts";
import { fromBinary, toBinary } from "./binary-data.ts";
import { fromJson, toJson } from "./json-data.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";
import type { WireDatatype } from "./wire-datatype.ts";

/**
 * Messages of the Open Inference Protocol: JSON, behind which the data of some tensors may lie as bytes, in the tensors'
 * order. A header says how long the JSON is; without one it is the whole body.
 */

export const headerLengthHeader = "Inference-Header-Content-Length";

export interface SplitMessage {
  readonly json: Uint8Array;
  readonly binary: Uint8Array;
}

/** Parts a body behind its JSON. Faults: `invalid_header` for a length that the body does not have. */
export function splitMessage(headerLength: number | undefined, body: Uint8Array): Result<SplitMessage> {
  if (headerLength === undefined) return ok({ json: body, binary: new Uint8Array() });
  if (!Number.isInteger(headerLength) || headerLength < 0 || headerLength > body.length) {
    const detail = `${headerLengthHeader} says ${headerLength} bytes of JSON; the body has ${body.length} in all.`;
    return fail("invalid_header", { detail });
  }
  return ok({ json: body.subarray(0, headerLength), binary: body.subarray(headerLength) });
}

/** A tensor as it came: its head, and its data in one form or the other, not yet read. */
export interface WireTensor {
  readonly head: InferInput;
  /** Absent when the data is in `head.data`. */
  readonly bytes?: Uint8Array;
}

/** Deals the bytes behind the JSON out to the tensors that say how many are theirs. Faults: `invalid_shape`, `unsupported_extension`. */
export function dealBinary(heads: readonly InferInput[], binary: Uint8Array): Result<readonly WireTensor[]> {
  const tensors: WireTensor[] = [];
  const names = new Set<string>();
  let at = 0;
  for (const head of heads) {
    const { name, data } = head;
    const size = head.parameters?.binary_data_size;
    if (names.has(name)) return fail("invalid_shape", { detail: `'${name}' is there twice.` });
    names.add(name);
    if (head.parameters?.shared_memory_region !== undefined) {
      return fail("unsupported_extension", { detail: `'${name}': there is no shared memory with this server.` });
    }
    if ((data === undefined) === (size === undefined)) {
      return fail("invalid_shape", { detail: `'${name}' needs either 'data' or the parameter 'binary_data_size'.` });
    }
    if (size === undefined) {
      tensors.push({ head });
      continue;
    }
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || at + size > binary.length) {
      return fail("invalid_shape", { detail: `'${name}': 'binary_data_size' is more than the body holds.` });
    }
    tensors.push({ head, bytes: binary.subarray(at, at + size) });
    at += size;
  }
  if (at === binary.length) return ok(tensors);
  return fail("invalid_shape", { detail: `${binary.length - at} bytes behind the JSON belong to no tensor.` });
}

/** Reads one tensor's data. Faults: `invalid_shape`. */
export function readTensor({ head, bytes }: WireTensor): Result<Tensor> {
  return bytes === undefined ? fromJson(head, head.data ?? []) : fromBinary(head, bytes);
}

/** Reads all tensors, by their names. Faults: `invalid_shape`. */
export function readTensors(wire: readonly WireTensor[]): Result<Tensors> {
  const tensors: [string, Tensor][] = [];
  for (const one of wire) {
    const tensor = readTensor(one);
    if (!tensor.ok) return tensor;
    tensors.push([one.head.name, tensor.value]);
  }
  return ok(Object.fromEntries(tensors));
}

export interface DecodedInfer {
  readonly request: InferRequest;
  readonly tensors: Tensors;
}

/** A whole request. Faults: `invalid_header`, `invalid_utf8`, `invalid_json`, `invalid_request`, `invalid_shape`, `unsupported_extension`. */
export function decodeInfer(headerLength: number | undefined, body: Uint8Array): Result<DecodedInfer> {
  const read = readMessage(headerLength, body);
  if (!read.ok) return read;
  const request = parse(inferRequest, read.value.json);
  if (!request.ok) return request;
  const tensors = tensorsOf(request.value.inputs, read.value.binary);
  return tensors.ok ? ok({ request: request.value, tensors: tensors.value }) : tensors;
}

/** The outputs of a whole answer. Faults as {@link decodeInfer}. */
export function decodeInferAnswer(headerLength: number | undefined, body: Uint8Array): Result<Tensors> {
  const read = readMessage(headerLength, body);
  if (!read.ok) return read;
  const heads = answerHeads(read.value.json);
  return heads.ok ? tensorsOf(heads.value, read.value.binary) : heads;
}

function readMessage(headerLength: number | undefined, body: Uint8Array) {
  const parts = splitMessage(headerLength, body);
  if (!parts.ok) return parts;
  const text = decodeUtf8(parts.value.json);
  if (text === undefined) return fail("invalid_utf8");
  try {
    const json: unknown = JSON.parse(text);
    return ok({ json, binary: parts.value.binary });
  } catch {
    return fail("invalid_json");
  }
}

function tensorsOf(heads: readonly InferInput[], binary: Uint8Array): Result<Tensors> {
  const wire = dealBinary(heads, binary);
  return wire.ok ? readTensors(wire.value) : wire;
}

/** A tensor to be sent. */
export interface OutgoingTensor {
  readonly name: string;
  readonly tensor: Tensor;
  /** As bytes behind the JSON, not as JSON. */
  readonly binary: boolean;
  /** BF16 in place of FP32; binary only. Default: the tensor's own. */
  readonly as?: WireDatatype;
}

export interface EncodedMessage {
  /** JSON alone as text; with binary data behind it as bytes. */
  readonly body: string | Uint8Array;
  /** For {@link headerLengthHeader}; absent when the body is JSON alone. */
  readonly headerLength?: number;
}

/**
 * A request (`inputs`) or an answer (`outputs`).
 *
 * @param head the message's other members
 * @returns faults: `invalid_shape` for values that JSON cannot carry
 */
export function encodeInfer(
  head: object,
  member: "inputs" | "outputs",
  tensors: readonly OutgoingTensor[],
): Result<EncodedMessage> {
  const texts: string[] = [];
  const binary: Uint8Array[] = [];
  for (const { name, tensor, binary: asBytes, as = tensor.datatype } of tensors) {
    const says = { name, datatype: as, shape: tensor.shape };
    if (asBytes || as === "BF16") {
      const bytes = toBinary(tensor, as);
      binary.push(bytes);
      texts.push(JSON.stringify({ ...says, parameters: { binary_data_size: bytes.length } }));
      continue;
    }
    const data = toJson(name, tensor);
    if (!data.ok) return data;
    texts.push(`${JSON.stringify(says).slice(0, -1)},"data":${data.value}}`);
  }
  const members = JSON.stringify(head).slice(1, -1);
  const json = `{${members}${members === "" ? "" : ","}"${member}":[${texts.join(",")}]}`;
  if (binary.length === 0) return ok({ body: json });
  const jsonBytes = encodeUtf8(json);
  return ok({ body: joined([jsonBytes, ...binary]), headerLength: jsonBytes.length });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
