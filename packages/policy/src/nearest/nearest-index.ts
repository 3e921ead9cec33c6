import { countDifferences, Sketcher, sketchWords } from "./signs.ts";

/** Rows of a block. Memory grows by blocks, so nothing large is ever copied. */
const blockRows = 4_096;
/** How many get a closer look at least. */
const closerMin = 400;

export interface Neighbour {
  readonly id: number;
  /** Cosine, -1 to 1. */
  readonly similarity: number;
}

interface Block {
  readonly ids: Float64Array;
  readonly sketches: Int32Array;
  readonly codes: Int8Array;
  /** 1 ÷ the length of each row's codes. */
  readonly scales: Float32Array;
}

/**
 * The vectors nearest to one, by cosine. A row is 256 bits that are compared with every row's (`signs.ts`), and a byte a
 * dimension, by which the best few hundred are compared again. Found are the nearest of those: nearly always the
 * nearest of all. `docs/decisions/0011-semantic-index.md` has the figures.
 */
export class NearestIndex {
  readonly dimensions: number;
  readonly #sketcher: Sketcher;
  readonly #query = new Int32Array(sketchWords);
  readonly #histogram = new Int32Array(sketchWords * 32 + 1);
  readonly #blocks: Block[] = [];
  readonly #places = new Map<number, number>();
  #distances = new Uint16Array(0);

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#sketcher = new Sketcher(dimensions);
  }

  get size(): number {
    return this.#places.size;
  }

  /** What the rows take in typed arrays, whole blocks, without the map from ids to places. */
  get bytes(): number {
    return this.#blocks.length * blockRows * bytesOfRow(this.dimensions) + this.#distances.byteLength;
  }

  /** Adds a row, or replaces the one of the same id. @param codes as {@link codesOf} makes them, of this index's dimensions */
  add(id: number, codes: Int8Array): void {
    const place = this.#places.get(id) ?? this.size;
    this.#places.set(id, place);
    if (place === this.#blocks.length * blockRows) this.#blocks.push(newBlock(this.dimensions));
    const block = this.#blockOf(place);
    const row = place % blockRows;
    block.ids[row] = id;
    block.codes.set(codes, row * this.dimensions);
    block.scales[row] = 1 / lengthOf(codes);
    this.#sketcher.write(codes, block.sketches, row * sketchWords);
  }

  /** Whether there was one. The last row moves to its place. */
  remove(id: number): boolean {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    const last = this.size - 1;
    this.#places.delete(id);
    if (place !== last) this.#move(last, place);
    if (last % blockRows === 0) this.#blocks.pop();
    return true;
  }

  /** Up to `k` rows, nearest first. @param vector of this index's dimensions, of any length but 0 */
  search(vector: Float32Array, k: number): readonly Neighbour[] {
    if (this.size === 0 || k < 1) return [];
    const scale = 1 / lengthOf(vector);
    const best: Neighbour[] = [];
    for (const place of this.#closer(vector, Math.max(closerMin, 10 * k))) {
      const block = this.#blockOf(place);
      const row = place % blockRows;
      const similarity = dot(block.codes, row * this.dimensions, vector) * (block.scales[row] as number) * scale;
      if (best.length === k && similarity <= (best[k - 1] as Neighbour).similarity) continue;
      keep(best, { id: block.ids[row] as number, similarity }, k);
    }
    return best;
  }

  /** The places of the rows whose sketches differ least from the vector's, so many at most. */
  #closer(vector: Float32Array, most: number): Int32Array {
    const { bound, ties } = this.#measure(vector, most);
    const distances = this.#distances;
    const size = this.size;
    const places = new Int32Array(Math.min(most, size));
    let count = 0;
    let room = ties;
    for (let place = 0; place < size; place++) {
      const distance = distances[place] as number;
      if (distance < bound || (distance === bound && room-- > 0)) places[count++] = place;
    }
    return places.subarray(0, count);
  }

  /** Measures all distances. Those below `bound` get a closer look, and as many at `bound` as `ties` says. */
  #measure(vector: Float32Array, closer: number): { readonly bound: number; readonly ties: number } {
    if (this.#distances.length < this.size) this.#distances = new Uint16Array(this.#blocks.length * blockRows);
    this.#sketcher.write(vector, this.#query, 0);
    this.#histogram.fill(0);
    for (const [number, block] of this.#blocks.entries()) {
      const from = number * blockRows;
      const count = Math.min(blockRows, this.size - from);
      countDifferences(block.sketches, count, this.#query, this.#distances, from, this.#histogram);
    }
    let below = 0;
    for (const [bound, count] of this.#histogram.entries()) {
      if (below + count >= closer) return { bound, ties: closer - below };
      below += count;
    }
    return { bound: this.#histogram.length, ties: 0 };
  }

  #move(from: number, to: number): void {
    const [source, target] = [this.#blockOf(from), this.#blockOf(to)];
    const [a, b] = [from % blockRows, to % blockRows];
    const id = source.ids[a] as number;
    this.#places.set(id, to);
    target.ids[b] = id;
    target.scales[b] = source.scales[a] as number;
    target.codes.set(source.codes.subarray(a * this.dimensions, (a + 1) * this.dimensions), b * this.dimensions);
    target.sketches.set(source.sketches.subarray(a * sketchWords, (a + 1) * sketchWords), b * sketchWords);
  }

  #blockOf(place: number): Block {
    return this.#blocks[Math.floor(place / blockRows)] as Block;
  }
}

/** A byte a dimension, the largest 127 or -127; nothing when the vector is all 0 or has what is no number. */
export function codesOf(vector: Float32Array): Int8Array | undefined {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  // False for NaN as well.
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return undefined;
  const codes = new Int8Array(vector.length);
  for (let i = 0; i < codes.length; i++) codes[i] = Math.round(((vector[i] as number) / largest) * 127);
  return codes;
}

/** Id, sketch, codes and scale. */
function bytesOfRow(dimensions: number): number {
  return 8 + sketchWords * 4 + dimensions + 4;
}

function newBlock(dimensions: number): Block {
  return {
    ids: new Float64Array(blockRows),
    sketches: new Int32Array(blockRows * sketchWords),
    codes: new Int8Array(blockRows * dimensions),
    scales: new Float32Array(blockRows),
  };
}

function lengthOf(values: Float32Array | Int8Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
}

function dot(codes: Int8Array, from: number, vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += (codes[from + i] as number) * (vector[i] as number);
  return sum;
}

/** Puts one among the best, which are in order. */
function keep(best: Neighbour[], one: Neighbour, k: number): void {
  let at = best.length;
  while (at > 0 && (best[at - 1] as Neighbour).similarity < one.similarity) at--;
  best.splice(at, 0, one);
  if (best.length > k) best.pop();
}
