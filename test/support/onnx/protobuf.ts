/** The little of Protocol Buffers' wire format that writing an ONNX file takes. */

/** A field of a message, encoded. */
export type Field = Uint8Array;

/** Wire type 0: an integer, negative ones as 64-bit two's complement. */
export function varint(field: number, value: number | bigint): Field {
  return concat([base128(BigInt(field) << 3n), base128(BigInt.asUintN(64, BigInt(value)))]);
}

/** Wire type 2: bytes, a text or a message. */
export function bytes(field: number, value: Uint8Array | string): Field {
  const content = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return concat([base128((BigInt(field) << 3n) | 2n), base128(BigInt(content.length)), content]);
}

/** Wire type 5: a 32-bit float. */
export function float(field: number, value: number): Field {
  return concat([base128((BigInt(field) << 3n) | 5n), new Uint8Array(Float32Array.of(value).buffer)]);
}

/** A message of fields. */
export function message(field: number, fields: readonly Field[]): Field {
  return bytes(field, concat(fields));
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function base128(value: bigint): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    digits.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(digits);
}
