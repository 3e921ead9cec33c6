import { PlainRows } from "./plain-rows.ts";
import { blockRows, type Rows, sketchWords } from "./rows.ts";
import { Sketcher } from "./signs.ts";

/** How many get a closer look at least. */
const closerMin = 400;

export interface Neighbour {
  readonly id: number;
  /** Cosine, -1 to 1. */
  readonly similarity: number;
}

/** What of a block's rows is not compared. */
interface Block {
  readonly ids: Float64Array;
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
  readonly #rows: Rows;
  readonly #query = new Int32Array(sketchWords);
  readonly #blocks: Block[] = [];
  readonly #places = new Map<number, number>();

  /** @param rows of as many dimensions, empty, and this index's alone */
  constructor(dimensions: number, rows: Rows = new PlainRows(dimensions)) {
    this.dimensions = dimensions;
    this.#rows = rows;
    this.#sketcher = new Sketcher(dimensions);
  }

  get size(): number {
    return this.#places.size;
  }

  /** What the rows take in typed arrays, whole blocks, without the map from ids to places. */
  get bytes(): number {
    return this.#blocks.length * blockRows * (8 + 4) + this.#rows.bytes;
  }

  /** Adds a row, or replaces the one of the same id. @param codes as {@link codesOf} makes them, of this index's dimensions */
  add(id: number, codes: Int8Array): void {
    const place = this.#places.get(id) ?? this.size;
    // First, since there may be no room.
    if (place === this.#blocks.length * blockRows) this.#grow();
    this.#places.set(id, place);
    const { ids, scales } = this.#blockOf(place);
    ids[place % blockRows] = id;
    scales[place % blockRows] = 1 / lengthOf(codes);
    const row = this.#rows.at(place);
    row.codes.set(codes);
    this.#sketcher.write(codes, row.sketch);
  }

  /** Whether there was one. The last row moves to its place. */
  remove(id: number): boolean {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    const last = this.size - 1;
    this.#places.delete(id);
    if (place !== last) this.#move(last, place);
    if (last % blockRows === 0) this.#shrink();
    return true;
  }

  /** Up to `k` rows, nearest first. @param vector of this index's dimensions, of any length but 0 */
  search(vector: Float32Array, k: number): readonly Neighbour[] {
    if (this.size === 0 || k < 1) return [];
    const whole = wholeNumbersOf(vector);
    const scale = 1 / lengthOf(whole);
    const places = this.#closer(vector, Math.max(closerMin, 10 * k));
    const best: Neighbour[] = [];
    for (const [at, dot] of this.#rows.dots(whole, places).entries()) {
      const place = places[at] as number;
      const { ids, scales } = this.#blockOf(place);
      const similarity = dot * (scales[place % blockRows] as number) * scale;
      if (best.length === k && similarity <= (best[k - 1] as Neighbour).similarity) continue;
      keep(best, { id: ids[place % blockRows] as number, similarity }, k);
    }
    return best;
  }

  /** The places of the rows whose sketches differ least from the vector's, so many at most. */
  #closer(vector: Float32Array, most: number): Int32Array {
    const size = this.size;
    this.#sketcher.write(vector, this.#query);
    const { histogram, distancesOf } = this.#rows.measure(this.#query, size);
    const { bound, ties } = boundOf(histogram, most);
    const places = new Int32Array(Math.min(most, size));
    let count = 0;
    let room = ties;
    for (let from = 0; from < size; from += blockRows) {
      const distances = distancesOf(from / blockRows);
      const rows = Math.min(blockRows, size - from);
      for (let row = 0; row < rows; row++) {
        const distance = distances[row] as number;
        if (distance <= bound && (distance < bound || room-- > 0)) places[count++] = from + row;
      }
    }
    return places.subarray(0, count);
  }

  #grow(): void {
    this.#rows.resize(this.#blocks.length + 1);
    this.#blocks.push(newBlock());
  }

  #shrink(): void {
    this.#blocks.pop();
    this.#rows.resize(this.#blocks.length);
  }

  #move(from: number, to: number): void {
    const [source, target] = [this.#blockOf(from), this.#blockOf(to)];
    const id = source.ids[from % blockRows] as number;
    this.#places.set(id, to);
    target.ids[to % blockRows] = id;
    target.scales[to % blockRows] = source.scales[from % blockRows] as number;
    const [row, place] = [this.#rows.at(from), this.#rows.at(to)];
    place.codes.set(row.codes);
    place.sketch.set(row.sketch);
  }

  #blockOf(place: number): Block {
    return this.#blocks[Math.floor(place / blockRows)] as Block;
  }
}

/** A byte a dimension, the largest 127 or -127; nothing when the vector is all 0 or has what is no number. */
export function codesOf(vector: Float32Array): Int8Array | undefined {
  const largest = largestOf(vector);
  // False for NaN as well.
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return undefined;
  const codes = new Int8Array(vector.length);
  for (let i = 0; i < codes.length; i++) codes[i] = Math.round(((vector[i] as number) / largest) * 127);
  return codes;
}

function newBlock(): Block {
  return { ids: new Float64Array(blockRows), scales: new Float32Array(blockRows) };
}

/** Rows that differ in fewer bits than `bound` get a closer look, and as many of those that differ in so many as `ties` says. */
function boundOf(histogram: Int32Array, closer: number): { readonly bound: number; readonly ties: number } {
  let below = 0;
  for (const [bound, count] of histogram.entries()) {
    if (below + count >= closer) return { bound, ties: closer - below };
    below += count;
  }
  return { bound: histogram.length, ties: 0 };
}

/** The same direction in 16 bits a dimension, or as many as keep the dot products with codes below 2³¹. */
function wholeNumbersOf(vector: Float32Array): Int16Array {
  const most = Math.min(32_767, Math.floor((2 ** 31 - 1) / (127 * vector.length)));
  const scale = most / largestOf(vector);
  const whole = new Int16Array(vector.length);
  for (let i = 0; i < whole.length; i++) whole[i] = Math.round((vector[i] as number) * scale);
  return whole;
}

function largestOf(vector: Float32Array): number {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  return largest;
}

function lengthOf(values: Int16Array | Int8Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
}

/** Puts one among the best, which are in order. */
function keep(best: Neighbour[], one: Neighbour, k: number): void {
  let at = best.length;
  while (at > 0 && (best[at - 1] as Neighbour).similarity < one.similarity) at--;
  best.splice(at, 0, one);
  if (best.length > k) best.pop();
}
