/** A decoded picture, rows from the top, channels interleaved. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1 is grey, 3 is red, green, blue. */
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/**
 * Pixels a picture may have, as 1024 × 1024 has: more than a small model looks at. Decoding takes up to 40 bytes a pixel for a
 * while, and an isolate of the edge has 128 MB for the model and everything else.
 */
export const pixelsMax = 2 ** 20;
/** Pixels of a side: a thin picture must not make the rows between two passes of resizing huge. */
export const sideMax = 4096;

/** What is wrong with a picture, as a public sentence; thrown by decoders and caught by the step. */
export class PictureError extends Error {
  override readonly name = "PictureError";
}

/** Refuses sizes before anything is allocated for them. Throws {@link PictureError}. */
export function boundSize(width: number, height: number): void {
  if (width === 0 || height === 0) throw new PictureError("The picture has no pixels.");
  if (width > sideMax || height > sideMax || width * height > pixelsMax) {
    throw new PictureError(
      `The picture has ${width} × ${height} pixels; ${pixelsMax} in all and ${sideMax} a side are allowed: make it smaller.`,
    );
  }
}

/** Red, green and blue to grey as ITU-R BT.601 weighs them, in the integers of Pillow's `convert("L")`. */
export function toGrey({ width, height, channels, data }: Picture): Picture {
  if (channels === 1) return { width, height, channels, data };
  const grey = new Uint8Array(width * height);
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const [red = 0, green = 0, blue = 0] = [data[3 * pixel], data[3 * pixel + 1], data[3 * pixel + 2]];
    grey[pixel] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: grey };
}

/** Grey three times. */
export function toColour({ width, height, channels, data }: Picture): Picture {
  if (channels === 3) return { width, height, channels, data };
  const colour = new Uint8Array(width * height * 3);
  for (let at = 0; at < colour.length; at++) colour[at] = data[Math.floor(at / 3)] ?? 0;
  return { width, height, channels: 3, data: colour };
}
