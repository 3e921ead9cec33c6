import { blockRows, type Measured, type Row, type Rows, sketchBits, sketchWords } from "./rows.ts";

interface Block {
  readonly sketches: Int32Array;
  readonly codes: Int8Array;
  readonly distances: Uint16Array;
}

/** In plain JavaScript, where there is no WebAssembly to be had. */
export class PlainRows implements Rows {
  readonly #dimensions: number;
  readonly #blocks: Block[] = [];
  readonly #histogram = new Int32Array(sketchBits + 1);

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
  }

  get bytes(): number {
    return this.#blocks.length * blockRows * (sketchWords * 4 + this.#dimensions + 2);
  }

  resize(blocks: number): void {
    while (this.#blocks.length < blocks) {
      this.#blocks.push({
        sketches: new Int32Array(blockRows * sketchWords),
        codes: new Int8Array(blockRows * this.#dimensions),
        distances: new Uint16Array(blockRows),
      });
    }
    this.#blocks.length = blocks;
  }

  at(row: number): Row {
    const { sketches, codes } = this.#block(Math.floor(row / blockRows));
    const at = row % blockRows;
    return {
      sketch: sketches.subarray(at * sketchWords, (at + 1) * sketchWords),
      codes: codes.subarray(at * this.#dimensions, (at + 1) * this.#dimensions),
    };
  }

  measure(sketch: Int32Array, rows: number): Measured {
    this.#histogram.fill(0);
    for (let block = 0; block * blockRows < rows; block++) {
      const { sketches, distances } = this.#block(block);
      countDifferences(sketches, Math.min(blockRows, rows - block * blockRows), sketch, distances, this.#histogram);
    }
    return { histogram: this.#histogram, distancesOf: (block) => this.#block(block).distances };
  }

  dots(vector: Int16Array, rows: Int32Array): Int32Array {
    return rows.map((row) => {
      const { codes } = this.#block(Math.floor(row / blockRows));
      return dot(codes, (row % blockRows) * this.#dimensions, vector);
    });
  }

  #block(number: number): Block {
    return this.#blocks[number] as Block;
  }
}

function dot(codes: Int8Array, from: number, vector: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) {
    sum = (sum + Math.imul(codes[from + i] as number, vector[i] as number)) | 0;
  }
  return sum;
}

/**
 * In how many bits each of the first `count` sketches differs from the query's: written to `distances`, and counted in
 * `histogram`. This loop is most of a look-up, hence its form: full adders take the eight words to four before the bits are
 * counted, and nothing is called.
 */
function countDifferences(
  sketches: Int32Array,
  count: number,
  query: Int32Array,
  distances: Uint16Array,
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
    distances[row] = distance;
    histogram[distance] = (histogram[distance] as number) + 1;
  }
}
