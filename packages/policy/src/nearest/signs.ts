import { sketchBits, sketchWords } from "./rows.ts";

/**
 * A sketch of a vector: the signs of 256 coordinates after a rotation that is always the same. The share of signs in which two
 * vectors differ tells the angle between them, roughly: enough to pick a few hundred that are worth a closer look.
 * Source: M. Charikar, "Similarity estimation techniques from rounding algorithms", 2002.
 */

/** Turns vectors of so many dimensions into sketches. */
export class Sketcher {
  readonly #turned: Float32Array;
  readonly #flips: readonly Float32Array[];

  constructor(dimensions: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(dimensions, sketchBits)));
    this.#turned = new Float32Array(size);
    this.#flips = [flipsOf(size, 1), flipsOf(size, 2)];
  }

  /** Writes the sketch of a vector. Its length is the dimensions; its scale does not matter. */
  write(vector: Float32Array | Int8Array, sketch: Int32Array): void {
    const turned = this.#turned;
    turned.fill(0);
    turned.set(vector);
    // Random signs and a Hadamard transform, twice, turn almost as a random rotation does, in n log n.
    for (const flips of this.#flips) {
      for (let i = 0; i < turned.length; i++) turned[i] = (turned[i] as number) * (flips[i] as number);
      hadamard(turned);
    }
    for (let word = 0; word < sketchWords; word++) {
      let bits = 0;
      for (let bit = 0; bit < 32; bit++) if ((turned[word * 32 + bit] as number) > 0) bits |= 1 << bit;
      sketch[word] = bits;
    }
  }
}

/** Unscaled, in place. @param values a power of two of them */
function hadamard(values: Float32Array): void {
  for (let half = 1; half < values.length; half *= 2) {
    for (let start = 0; start < values.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const a = values[i] as number;
        const b = values[i + half] as number;
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
}

/** 1 and -1 as if at random, the same ones everywhere: sketches of one isolate must fit those of the next. */
function flipsOf(size: number, seed: number): Float32Array {
  let state = Math.imul(seed, 0x9e3779b9);
  return Float32Array.from({ length: size }, () => {
    state = (state + 0x9e3779b9) | 0;
    let bits = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return (bits ^ (bits >>> 16)) & 1 ? 1 : -1;
  });
}
