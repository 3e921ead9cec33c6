import { decode } from "jpeg-js";
import { boundSize, type Picture, PictureError } from "./picture.ts";

/** Scans of a progressive JPEG: encoders write about ten; each costs a walk over the whole picture. */
const scansMax = 64;

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}

/**
 * Decodes a baseline or progressive JPEG to grey or colour. Rotation in its metadata is not applied, as in Pillow.
 * Throws a {@link PictureError} or what the library throws: the file is broken.
 */
export function decodeJpeg(bytes: Uint8Array): Picture {
  const components = checkJpeg(bytes);
  const { width, height, data } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxMemoryUsageInMB: 32,
  });
  const picture: Picture = { width, height, channels: 3, data };
  if (components === 3) return picture;
  return { width, height, channels: 1, data: data.filter((_, at) => at % 3 === 0) };
}

/**
 * Walks the markers before anything is decoded: the size is bounded, the number of scans too, and a file that was cut off is told
 * from a whole one, which the library does not. ITU-T T.81, annex B.
 *
 * @returns components: 1 for grey, 3 for colour
 */
function checkJpeg(bytes: Uint8Array): 1 | 3 {
  let components: 1 | 3 | undefined;
  let scans = 0;
  let at = 2;
  while (at + 4 <= bytes.length || bytes[at + 1] === 0xd9) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff) throw new PictureError("The JPEG is broken between two of its parts.");
    if (marker === 0xff) {
      at += 1; // Fill bytes may stand before a marker.
      continue;
    }
    if (marker === 0xd9) {
      if (components === undefined || scans === 0) break;
      return components;
    }
    const length = (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0);
    if (isFrame(marker)) {
      if (components !== undefined) throw new PictureError("The JPEG holds several pictures.");
      components = readFrame(marker, bytes.subarray(at + 4, at + 2 + length));
    }
    at += 2 + Math.max(2, length);
    if (marker !== 0xda) continue;
    scans += 1;
    if (scans > scansMax) throw new PictureError(`The JPEG has more than ${scansMax} scans.`);
    at = endOfScan(bytes, at);
  }
  throw new PictureError("The JPEG ends in the middle.");
}

/** SOF markers: C0 to CF but for tables (C4), extensions (C8) and arithmetic conditioning (CC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(marker: number, header: Uint8Array): 1 | 3 {
  if (marker > 0xc2)
    throw new PictureError("A lossless or arithmetic JPEG is not taken: send baseline or progressive.");
  const [precision, high = 0, low = 0, left = 0, right = 0, count] = header;
  if (precision !== 8) throw new PictureError("The JPEG has not 8 bits a sample.");
  boundSize(left * 256 + right, high * 256 + low);
  if (count !== 1 && count !== 3) throw new PictureError("The JPEG is neither grey nor red, green and blue.");
  return count;
}

/** Entropy-coded bytes end at a marker that is neither a stuffed zero nor a restart. */
function endOfScan(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at + 1 < bytes.length) {
    const next = bytes[at + 1] ?? 0;
    if (bytes[at] === 0xff && next !== 0 && (next < 0xd0 || next > 0xd7)) return at;
    at += 1;
  }
  return bytes.length;
}
