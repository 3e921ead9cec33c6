/**
 * Moves the weights of an ONNX file out of the file's own protobuf, so that ONNX Runtime copies each of them straight to
 * where it stays. From a file as it is, the runtime's heap holds the file, the parsed protobuf and the weights one beside the
 * other, and never gives back what the first two took: a 22 MB model makes it 65 MiB, and 33 MiB this way (decision 6).
 */

/** Bytes of weights that are worth moving; what shapes are made of stays where every optimiser finds it. */
const movedBytesMin = 1024;

/** Field numbers of onnx.proto. */
const modelGraph = 7;
const graphInitializer = 5;
const tensorRawData = 9;
const tensorExternalData = 13;
const tensorDataLocation = 14;
const entryKey = 1;
const entryValue = 2;

/**
 * The same graph with its weights as external data that lies in `location`: the file itself, at the offsets where they are
 * now. A file that is not as expected comes back as it is, for ONNX Runtime to say what is wrong with it.
 */
export function withExternalWeights(file: Uint8Array, location: string): Uint8Array {
  try {
    return concat(fieldsOf(file, 0, file.length).map((field) => withGraph(file, field, location)));
  } catch (error) {
    if (error instanceof MalformedError) return file;
    throw error;
  }
}

function withGraph(file: Uint8Array, field: Field, location: string): Uint8Array {
  if (field.number !== modelGraph) return file.subarray(field.start, field.end);
  const parts = fieldsOf(file, field.content, field.end).map((part) =>
    part.number === graphInitializer ? initializer(file, part, location) : file.subarray(part.start, part.end),
  );
  return bytesField(modelGraph, concat(parts));
}

function initializer(file: Uint8Array, field: Field, location: string): Uint8Array {
  const fields = fieldsOf(file, field.content, field.end);
  const raw = fields.find(({ number, content, end }) => number === tensorRawData && end - content >= movedBytesMin);
  if (raw === undefined) return file.subarray(field.start, field.end);
  const kept = fields.filter((each) => each !== raw).map(({ start, end }) => file.subarray(start, end));
  const where = { location, offset: raw.content, length: raw.end - raw.content };
  const entries = Object.entries(where).map(([key, value]) =>
    bytesField(tensorExternalData, concat([textField(entryKey, key), textField(entryValue, String(value))])),
  );
  return bytesField(graphInitializer, concat([...kept, ...entries, varint(tensorDataLocation * 8), varint(1)]));
}

/** A field of a protobuf message: where it starts, where what it holds starts, and where both end. */
interface Field {
  readonly number: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

class MalformedError extends Error {}

function fieldsOf(bytes: Uint8Array, from: number, to: number): Field[] {
  const fields: Field[] = [];
  let at = from;

  function readVarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || at > to || scale > 2 ** 63) throw new MalformedError();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  while (at < to) {
    const start = at;
    const key = readVarint();
    const size = { 0: 0, 1: 8, 2: 0, 5: 4 }[key % 8];
    if (size === undefined) throw new MalformedError();
    const wire = key % 8;
    if (wire === 0) readVarint();
    const length = wire === 2 ? readVarint() : size;
    const content = at;
    at += length;
    if (at > to) throw new MalformedError();
    fields.push({ number: Math.floor(key / 8), start, content, end: at });
  }
  return fields;
}

function varint(value: number): Uint8Array {
  const digits: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    digits.push(rest >= 128 ? (rest % 128) | 128 : rest);
    if (rest < 128) return Uint8Array.from(digits);
  }
}

function bytesField(number: number, content: Uint8Array): Uint8Array {
  return concat([varint(number * 8 + 2), varint(content.length), content]);
}

function textField(number: number, text: string): Uint8Array {
  return bytesField(number, new TextEncoder().encode(text));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
