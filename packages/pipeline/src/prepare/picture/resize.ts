import type { Picture } from "./picture.ts";

/** The part of a picture that is scaled, pixels from its top left corner; fractions are meant. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The largest box in the middle of a picture that has the shape of the target. */
export function middleOf({ width, height }: Picture, toWidth: number, toHeight: number): Box {
  const shape = toWidth / toHeight;
  const boxWidth = Math.min(width, shape * height);
  const boxHeight = Math.min(height, width / shape);
  const [left, top] = [(width - boxWidth) / 2, (height - boxHeight) / 2];
  return { left, top, right: left + boxWidth, bottom: top + boxHeight };
}

/**
 * Scales a box of a picture by a triangle filter (bilinear) that widens when it shrinks, so that no pixel is left out. Same bytes
 * as Pillow's `resize(size, BILINEAR, box)`: two passes, 22-bit fixed point, rounded between them.
 */
export function resize(picture: Picture, toWidth: number, toHeight: number, box: Box): Picture {
  const across = weightsOf(picture.width, box.left, box.right, toWidth);
  const down = weightsOf(picture.height, box.top, box.bottom, toHeight);
  const { channels } = picture;
  const rows = new Uint8Array(picture.height * toWidth * channels);
  for (let row = 0; row < picture.height; row++) {
    const source = picture.data.subarray(row * picture.width * channels, (row + 1) * picture.width * channels);
    scaleLine(source, rows.subarray(row * toWidth * channels, (row + 1) * toWidth * channels), across, channels);
  }
  // A column is a line whose neighbours lie a row apart: all of a row's samples are scaled alike.
  const data = new Uint8Array(toHeight * toWidth * channels);
  scaleLine(rows, data, down, toWidth * channels);
  return { width: toWidth, height: toHeight, channels, data };
}

interface Weights {
  /** First source pixel of each target pixel. */
  readonly from: Int32Array;
  readonly counts: Int32Array;
  /** `most` a target pixel, in units of 2⁻²². */
  readonly values: Int32Array;
  readonly most: number;
}

const fractionBits = 22;

function weightsOf(size: number, start: number, end: number, toSize: number): Weights {
  const begin = Math.fround(start); // Pillow keeps a box in single precision.
  const scale = Math.fround(Math.fround(end) - begin) / toSize;
  const reach = Math.max(1, scale);
  const most = Math.ceil(reach) * 2 + 1;
  const from = new Int32Array(toSize);
  const counts = new Int32Array(toSize);
  const values = new Int32Array(toSize * most);
  const doubles = new Float64Array(most);
  for (let target = 0; target < toSize; target++) {
    const centre = begin + (target + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const count = Math.min(size, Math.trunc(centre + reach + 0.5)) - first;
    let sum = 0;
    for (let at = 0; at < count; at++) {
      const weight = Math.max(0, 1 - Math.abs((at + first - centre + 0.5) / reach));
      doubles[at] = weight;
      sum += weight;
    }
    from[target] = first;
    counts[target] = count;
    for (let at = 0; at < count; at++) {
      values[target * most + at] = Math.floor(0.5 + ((doubles[at] ?? 0) / sum) * 2 ** fractionBits);
    }
  }
  return { from, counts, values, most };
}

/** Scales a line of pixels; each pixel is `width` samples that are scaled alike. */
function scaleLine(source: Uint8Array, into: Uint8Array, weights: Weights, width: number): void {
  const { from, counts, values, most } = weights;
  for (let target = 0; target < from.length; target++) {
    const first = (from[target] ?? 0) * width;
    const count = counts[target] ?? 0;
    for (let sample = 0; sample < width; sample++) {
      let sum = 1 << (fractionBits - 1);
      for (let at = 0; at < count; at++) {
        sum += (source[first + at * width + sample] ?? 0) * (values[target * most + at] ?? 0);
      }
      into[target * width + sample] = sum >> fractionBits;
    }
  }
}
