import { Unzlib } from "fflate";
import { boundSize, PictureError, pixelsMax, sideMax } from "./picture.ts";

/** What `IHDR` says. PNG, third edition, section 11.2.1. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  readonly colour: 0 | 2 | 3 | 4 | 6;
  readonly interlaced: boolean;
}

const signature = [137, 80, 78, 71, 13, 10, 26, 10];
const depths = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] } as const;
const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
/** Compressed bytes that are inflated at once: they make at most a thousand times as many. */
const pieceBytes = 4096;
/** Bytes of pixels: four a pixel, and a filter byte a row. Pictures of 16 bits a sample may have fewer pixels. */
const rawBytesMax = pixelsMax * 4 + sideMax;

export function isPng(bytes: Uint8Array): boolean {
  return signature.every((byte, at) => bytes[at] === byte);
}

/**
 * Checks a PNG before it is decoded: sizes are bounded, the pixels inflate to just what the header says, and only the chunks that
 * pixels are made of are kept (a colour profile can be a bomb of its own). Throws {@link PictureError}, and what the inflater
 * throws.
 *
 * @returns the header and a file with nothing else in it
 */
export function checkPng(bytes: Uint8Array): { readonly header: PngHeader; readonly file: Uint8Array } {
  const chunks = readChunks(bytes);
  const [first] = chunks;
  if (first?.type !== "IHDR" || first.data.length !== 13) throw new PictureError("The PNG begins without a header.");
  const header = readHeader(first.data);
  const pixels = chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
  const expected = rawBytes(header);
  if (expected > rawBytesMax) throw new PictureError(`The PNG has more than ${rawBytesMax} bytes of pixels.`);
  const inflated = inflatedBytes(pixels, expected);
  if (inflated > expected) throw new PictureError("The PNG holds more pixels than its header says.");
  if (inflated < expected) throw new PictureError("The PNG ends before its last pixel.");
  return { header, file: join([Uint8Array.from(signature), ...chunks.map(({ whole }) => whole)]) };
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Length, type, data and checksum. */
  readonly whole: Uint8Array;
}

/** The critical chunks; the others are passed over. */
function readChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Chunk[] = [];
  for (let at = signature.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) break;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const chunk = { type, data: bytes.subarray(at + 8, end - 4), whole: bytes.subarray(at, end) };
    if (["IHDR", "PLTE", "IDAT"].includes(type)) kept.push(chunk);
    if (type === "IEND") return [...kept, chunk];
    at = end;
  }
  throw new PictureError("The PNG ends in the middle.");
}

function readHeader(data: Uint8Array): PngHeader {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth = 0, colour = 0, , , interlace = 0] = data.subarray(8);
  boundSize(width, height);
  if (!isColour(colour) || !depths[colour].some((allowed) => allowed === depth) || interlace > 1) {
    throw new PictureError("The PNG's header names a format that PNG does not have.");
  }
  if (interlace === 1 && depth < 8) {
    throw new PictureError("An interlaced PNG of less than 8 bits a sample is not taken.");
  }
  return { width, height, depth, colour, interlaced: interlace === 1 };
}

function isColour(value: number): value is PngHeader["colour"] {
  return value in channels;
}

/** Adam7: where each pass begins and how far its pixels are apart. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Bytes of the pixels before compression: a filter byte and the samples, row by row. */
function rawBytes({ width, height, depth, colour, interlaced }: PngHeader): number {
  const size = (columns: number, rows: number) =>
    columns <= 0 || rows <= 0 ? 0 : rows * (1 + Math.ceil((columns * channels[colour] * depth) / 8));
  if (!interlaced) return size(width, height);
  return passes.reduce(
    (sum, [x, y, right, down]) => sum + size(Math.ceil((width - x) / right), Math.ceil((height - y) / down)),
    0,
  );
}

/** How much the data inflates to; counting stops once it is more than `most`. */
function inflatedBytes(parts: readonly Uint8Array[], most: number): number {
  let count = 0;
  const inflater = new Unzlib((piece) => {
    count += piece.length;
  });
  for (const part of parts) {
    for (let from = 0; from < part.length && count <= most; from += pieceBytes) {
      inflater.push(part.subarray(from, from + pieceBytes));
    }
  }
  return count;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
