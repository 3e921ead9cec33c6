import type { Datatype, Tensor, Tensors } from "@ledge/contract";

/**
 * Tensors as bytes, between the measuring process and its Worker: the length of a JSON header, the header, then the data
 * of every tensor that is not text, each from a multiple of 8 bytes. Little-endian, as every machine that runs this.
 */

interface Head {
  readonly extra: unknown;
  readonly tensors: readonly {
    readonly name: string;
    readonly datatype: Datatype;
    readonly shape: readonly number[];
    readonly bytes: number;
    readonly texts?: readonly string[];
  }[];
}

const arrays = {
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
} as const;

const aligned = (bytes: number) => Math.ceil(bytes / 8) * 8;

/** @param extra anything JSON carries, given back beside the tensors. */
export function encodeFrame(tensors: Tensors, extra: unknown = null): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors);
  const head: Head = {
    extra,
    tensors: entries.map(([name, { datatype, shape, data }]) => {
      const bytes = "byteLength" in data ? data.byteLength : 0;
      return { name, datatype, shape, bytes, ...("byteLength" in data ? {} : { texts: data }) };
    }),
  };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const start = aligned(4 + text.length);
  const frame = new Uint8Array(start + head.tensors.reduce((sum, { bytes }) => sum + aligned(bytes), 0));
  new DataView(frame.buffer).setUint32(0, text.length, true);
  frame.set(text, 4);
  let at = start;
  for (const [, { data }] of entries) {
    if (!("byteLength" in data)) continue;
    frame.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += aligned(data.byteLength);
  }
  return frame;
}

/** The tensors are views of the frame. */
export function decodeFrame(frame: ArrayBuffer): { readonly tensors: Tensors; readonly extra: unknown } {
  const length = new DataView(frame).getUint32(0, true);
  const head: Head = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length)));
  let at = aligned(4 + length);
  const tensors: Record<string, Tensor> = {};
  for (const { name, datatype, shape, bytes, texts } of head.tensors) {
    if (datatype === "BYTES") tensors[name] = { datatype, shape, data: texts ?? [] };
    else {
      const Data = arrays[datatype];
      tensors[name] = { datatype, shape, data: new Data(frame, at, bytes / Data.BYTES_PER_ELEMENT) } as Tensor;
    }
    at += aligned(bytes);
  }
  return { tensors, extra: head.extra };
}
