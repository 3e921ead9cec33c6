/**
 * A sketch of a vector: the signs of 256 coordinates after a rotation that is always the same. The share of signs in which two
 * vectors differ tells the angle between them, roughly: enough to pick a few hundred that are worth a closer look.
 * Source: M. Charikar, "Similarity estimation techniques from rounding algorithms", 2002.
 */

/** 32-bit words of a sketch. */
export const sketchWords = 8;
const sketchBits = sketchWords * 32;

/** Turns vectors of so many dimensions into sketches. */
export class Sketcher {
  readonly #turned: Float32Array;
  readonly #flips: readonly Float32Array[];

  constructor(dimensions: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(dimensions, sketchBits)));
    this.#turned = new Float32Array(size);
    this.#flips = [flipsOf(size, 1), flipsOf(size, 2)];
  }

  /** Writes the sketch of a vector to `into`, from word `at` on. Its length is the dimensions; its scale does not matter. */
  write(vector: Float32Array | Int8Array, into: Int32Array, at: number): void {
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
      into[at + word] = bits;
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

/**
 * In how many bits each of the first `count` sketches differs from the query's: written to `distances` from `at` on, and
 * counted in `histogram` (257 counters). This loop is most of a look-up, hence its form: full adders take the eight words to
 * four before the bits are counted, and nothing is called.
 */
export function countDifferences(
  sketches: Int32Array,
  count: number,
  query: Int32Array,
  distances: Uint16Array,
  at: number,
  histogram: Int32Array,
): void {
  const [q0 = 0, q1 = 0, q2 = 0, q3 = 0, q4 = 0, q5 = 0, q6 = 0, q7 = 0] = query;
  for (let row = 0, word = 0; row < count; row++, word += sketchWords) {
    const a = (sketches[word] as number) ^ q0;
    const b = (sketches[word + 1] as number) ^ q1;
    const c = (sketches[word + 2] as number) ^ q2;
    const d = (sketches[word + 3] as number) ^ q3;
    const e = (sketches[word + 4] as number) ^ q4;
    const f = (sketches[word + 5] as number) ^ q5;
    const g = (sketches[word + 6] as number) ^ q6;
    const h = (sketches[word + 7] as number) ^ q7;
    // Bits that weigh 1 (`ones` and h), 2 (`twos`) and 4 (`fours`).
    const ab = a ^ b;
    const de = d ^ e;
    const abc = ab ^ c;
    const def = de ^ f;
    const both = abc ^ def;
    const ones = both ^ g;
    const carryA = (a & b) | (ab & c);
    const carryD = (d & e) | (de & f);
    const carryG = (abc & def) | (both & g);
    const carries = carryA ^ carryD;
    const twos = carries ^ carryG;
    const fours = (carryA & carryD) | (carries & carryG);
    // Counted in fields of 2, 4, 8 and 16 bits, each wide enough for what is added up in it.
    const ones2 = ones - ((ones >>> 1) & 0x55555555);
    const last2 = h - ((h >>> 1) & 0x55555555);
    const twos2 = twos - ((twos >>> 1) & 0x55555555);
    const fours2 = fours - ((fours >>> 1) & 0x55555555);
    const ones4 =
      (ones2 & 0x33333333) + ((ones2 >>> 2) & 0x33333333) + (last2 & 0x33333333) + ((last2 >>> 2) & 0x33333333);
    const twos4 = (twos2 & 0x33333333) + ((twos2 >>> 2) & 0x33333333);
    const fours4 = (fours2 & 0x33333333) + ((fours2 >>> 2) & 0x33333333);
    const pairs4 = (twos4 + (fours4 << 1)) | 0;
    const pairs8 = (pairs4 & 0x0f0f0f0f) + ((pairs4 >>> 4) & 0x0f0f0f0f);
    const all8 = ((ones4 & 0x0f0f0f0f) + ((ones4 >>> 4) & 0x0f0f0f0f) + (pairs8 << 1)) | 0;
    const all16 = (all8 & 0x00ff00ff) + ((all8 >>> 8) & 0x00ff00ff);
    const distance = (all16 & 0xffff) + (all16 >>> 16);
    distances[at + row] = distance;
    histogram[distance] = (histogram[distance] as number) + 1;
  }
}
