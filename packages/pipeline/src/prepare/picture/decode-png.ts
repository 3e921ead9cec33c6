import { decode } from "fast-png";
import type { Picture } from "./picture.ts";
import { checkPng, type PngHeader } from "./png-chunks.ts";

/**
 * Decodes a PNG to grey or colour. Transparency is dropped and 16 bits are cut to 8, as Pillow's `convert("RGB")` does.
 * Throws a PictureError or what the library throws: the file is broken.
 */
export function decodePng(bytes: Uint8Array): Picture {
  const { header, file } = checkPng(bytes);
  const { data, palette, channels } = decode(file, { checkCrc: true });
  const { width, height, colour } = header;
  const bytesOf = header.depth < 8 ? unpack(data, header) : data;
  const shift = header.depth === 16 ? 8 : 0;
  const pixels = width * height;
  if (colour === 3) {
    const rgb = new Uint8Array(pixels * 3);
    for (let pixel = 0; pixel < pixels; pixel++) rgb.set(palette?.[bytesOf[pixel] ?? 0]?.slice(0, 3) ?? [], pixel * 3);
    return { width, height, channels: 3, data: rgb };
  }
  const kept = colour === 2 || colour === 6 ? 3 : 1;
  const opaque = new Uint8Array(pixels * kept);
  for (let at = 0; at < opaque.length; at++) {
    const pixel = Math.floor(at / kept);
    opaque[at] = (bytesOf[pixel * channels + (at - pixel * kept)] ?? 0) >> shift;
  }
  return { width, height, channels: kept, data: opaque };
}

/** One byte a sample from rows of packed bits; grey is spread over 0 to 255, an index into the palette stays as it is. */
function unpack(data: ArrayLike<number>, { width, height, depth, colour }: PngHeader): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  const most = 2 ** depth - 1;
  const spread = colour === 3 ? 1 : 255 / most;
  const samples = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * depth;
      const byte = data[row * rowBytes + (bit >> 3)] ?? 0;
      samples[row * width + column] = ((byte >> (8 - depth - (bit & 7))) & most) * spread;
    }
  }
  return samples;
}
