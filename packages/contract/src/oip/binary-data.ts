import { fail, ok, type Result } from "../result.ts";
import type { Datatype, Tensor } from "../tensor.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";
import { elementBytes, elementCount, type WireDatatype } from "./wire-datatype.ts";

/**
 * The binary form of a tensor (the protocol's binary data extension): little-endian, row-major, BYTES as a 4-byte length
 * and the bytes. Every runtime of ours is little-endian, so typed arrays are the wire form.
 */

/** How a tensor is called and what it says of itself, for decoding its data. */
export interface TensorHead {
  readonly name: string;
  readonly datatype: WireDatatype;
  readonly shape: readonly number[];
}

/** BYTES elements as they came: a picture or a sound is no text. Faults: `invalid_shape`. */
export function readElements({ name, shape }: TensorHead, bytes: Uint8Array): Result<readonly Uint8Array[]> {
  const count = elementCount(shape);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array[] = [];
  let at = 0;
  while (at + 4 <= bytes.length && elements.length < count) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) break;
    elements.push(bytes.subarray(at + 4, end));
    at = end;
  }
  if (elements.length === count && at === bytes.length) return ok(elements);
  const detail = `'${name}' needs ${count} elements, each behind its length in 4 bytes, and nothing behind the last.`;
  return fail("invalid_shape", { detail });
}

/** A tensor from its binary form. Its data is a copy: a view would take the whole body along when it crosses RPC. Faults: `invalid_shape`. */
export function fromBinary(head: TensorHead, bytes: Uint8Array): Result<Tensor> {
  const { name, datatype, shape } = head;
  if (datatype === "BYTES") {
    const elements = readElements(head, bytes);
    return elements.ok ? textTensor(head, elements.value) : elements;
  }
  const needed = elementCount(shape) * elementBytes[datatype];
  if (bytes.length !== needed) {
    const detail = `'${name}' needs ${needed} bytes for its shape and datatype, and has ${bytes.length}.`;
    return fail("invalid_shape", { detail });
  }
  if (datatype === "BOOL" && bytes.some((byte) => byte > 1)) {
    return fail("invalid_shape", { detail: `'${name}' is BOOL: each byte is 0 or 1.` });
  }
  // Not `bytes.slice()`: of a Buffer of Node's that is no copy, and its memory holds other bodies too.
  const { buffer } = new Uint8Array(bytes);
  if (datatype === "BF16") return ok({ datatype: "FP32", shape, data: widened(new Uint16Array(buffer)) });
  return ok({ datatype, shape, data: new arrayOf[datatype](buffer) } as Tensor);
}

function textTensor({ name, shape }: TensorHead, elements: readonly Uint8Array[]): Result<Tensor> {
  const data: string[] = [];
  for (const element of elements) {
    const text = decodeUtf8(element);
    if (text === undefined) {
      return fail("invalid_shape", { detail: `'${name}' takes texts: element ${data.length} is not UTF-8.` });
    }
    data.push(text);
  }
  return ok({ datatype: "BYTES", shape, data });
}

/** A tensor in binary form; an FP32 one as BF16 when `as` says so (rounded to nearest, ties to even). */
export function toBinary(tensor: Tensor, as: WireDatatype = tensor.datatype): Uint8Array {
  if (tensor.datatype === "BYTES") return joined(tensor.data.map(encodeUtf8));
  if (tensor.datatype === "FP32" && as === "BF16") return bytesOf(narrowed(tensor.data));
  return bytesOf(tensor.data);
}

function joined(elements: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(elements.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const element of elements) {
    view.setUint32(at, element.length, true);
    bytes.set(element, at + 4);
    at += 4 + element.length;
  }
  return bytes;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** BF16 is the upper half of an FP32. */
function widened(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = (halves[i] ?? 0) << 16;
  return new Float32Array(words.buffer);
}

function narrowed(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.slice().buffer);
  const halves = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    // Rounding a NaN up could make it an infinity: it keeps its sign and becomes the plain NaN.
    const nan = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = nan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** The array that holds each datatype. */
export const arrayOf = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Readonly<Record<Exclude<Datatype, "BYTES">, unknown>>;
