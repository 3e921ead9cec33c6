import { blockRows, type Measured, type Row, type Rows, sketchBits, sketchWords } from "./rows.ts";

/** What an instance of `rows.wasm` exports; all places in bytes. Each index has its own, for the memory is in it. */
export interface RowsInstance {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  measure(sketch: number, end: number, distance: number): void;
  dot(codes: number, end: number, query: number): number;
}

const pageBytes = 65_536;
const histogramAt = 64;
const queryAt = 1_152;
const sketchBytes = sketchWords * 4;

/** In a memory of WebAssembly, which holds the query, then the blocks: their sketches, codes and distances. */
export class WasmRows implements Rows {
  readonly #dimensions: number;
  /** Of a row's codes: 16 are multiplied at once, and what is beyond the dimensions stays 0. */
  readonly #codesBytes: number;
  readonly #start: () => RowsInstance;
  #instance: RowsInstance;

  /** @param start makes an instance; may throw a RangeError, as the constructor then does */
  constructor(dimensions: number, start: () => RowsInstance) {
    this.#dimensions = dimensions;
    this.#codesBytes = Math.ceil(dimensions / 16) * 16;
    this.#start = start;
    this.#instance = start();
  }

  get bytes(): number {
    return this.#instance.memory.buffer.byteLength;
  }

  /** Such a memory never shrinks: when half of it would be idle with a block more, the rest moves to a new one. */
  resize(blocks: number): void {
    const bytes = this.#placeOf(blocks);
    if (this.#placeOf(blocks + 1) <= this.bytes / 2) this.#move(bytes);
    else growTo(bytes, this.#instance);
  }

  at(row: number): Row {
    const { buffer } = this.#instance.memory;
    const block = this.#placeOf(Math.floor(row / blockRows));
    return {
      sketch: new Int32Array(buffer, block + (row % blockRows) * sketchBytes, sketchWords),
      codes: new Int8Array(buffer, this.#codesAt(row), this.#dimensions),
    };
  }

  measure(sketch: Int32Array, rows: number): Measured {
    const { memory, measure } = this.#instance;
    const { buffer } = memory;
    new Int32Array(buffer).set(sketch);
    const histogram = new Int32Array(buffer, histogramAt, sketchBits + 1).fill(0);
    for (let block = 0; block * blockRows < rows; block++) {
      const at = this.#placeOf(block);
      const count = Math.min(blockRows, rows - block * blockRows);
      measure(at, at + count * sketchBytes, this.#distancesAt(block));
    }
    return { histogram, distancesOf: (block) => new Uint16Array(buffer, this.#distancesAt(block), blockRows) };
  }

  dots(vector: Int16Array, rows: Int32Array): Int32Array {
    const { memory, dot } = this.#instance;
    new Int16Array(memory.buffer, queryAt, this.#codesBytes).set(vector);
    return rows.map((row) => {
      const at = this.#codesAt(row);
      return dot(at, at + this.#codesBytes, queryAt);
    });
  }

  #move(bytes: number): void {
    const smaller = this.#start();
    growTo(bytes, smaller);
    new Uint8Array(smaller.memory.buffer).set(new Uint8Array(this.#instance.memory.buffer, 0, bytes));
    this.#instance = smaller;
  }

  #placeOf(block: number): number {
    return queryAt + this.#codesBytes * 2 + block * blockRows * (sketchBytes + this.#codesBytes + 2);
  }

  #codesAt(row: number): number {
    const sketches = blockRows * sketchBytes;
    return this.#placeOf(Math.floor(row / blockRows)) + sketches + (row % blockRows) * this.#codesBytes;
  }

  #distancesAt(block: number): number {
    return this.#placeOf(block + 1) - blockRows * 2;
  }
}

function growTo(bytes: number, { memory }: RowsInstance): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
}
