import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** What reads one field, by its number. A field that has no reader is skipped. */
export type Fields<T> = Readonly<Record<number, (reader: BinaryReader, into: T, type: WireType) => void>>;

/** Messages within messages: graphs nest in `If` and `Loop`, hostile files nest for the sake of it. */
const depthMax = 64;
let depth = 0;

/**
 * Reads the fields of a protobuf message in `bytes`. Nothing is copied: byte fields are views.
 *
 * @throws RangeError or Error from the reader when a field reaches past the end, or nests too deeply.
 */
export function readFields<T>(bytes: Uint8Array, fields: Fields<T>, into: T): T {
  if (depth >= depthMax) throw new RangeError("graphs are nested too deeply");
  depth++;
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      const read = fields[field];
      if (read === undefined) reader.skip(type, field);
      else read(reader, into, type);
      if (reader.pos > reader.len) throw new RangeError("premature EOF");
    }
    return into;
  } finally {
    depth--;
  }
}

/** A whole number of a varint. Beyond 2⁵³ it is no longer exact, which no honest size is. */
export function whole(reader: BinaryReader): number {
  return Number(reader.int64());
}

/** A repeated whole number: packed in one field, or one field each. */
export function wholes(reader: BinaryReader, type: WireType, into: number[]): void {
  if (type !== WireType.LengthDelimited) {
    into.push(whole(reader));
    return;
  }
  const packed = new BinaryReader(reader.bytes());
  while (packed.pos < packed.len) into.push(whole(packed));
}

/** How many elements a repeated number has, without reading them. `width`: bytes of one, or 0 for varints. */
export function countOf(reader: BinaryReader, type: WireType, width: 0 | 4 | 8): number {
  if (type !== WireType.LengthDelimited) {
    reader.skip(type);
    return 1;
  }
  const packed = reader.bytes();
  if (width > 0) return packed.length / width;
  let ends = 0;
  for (const byte of packed) if (byte < 128) ends++;
  return ends;
}
