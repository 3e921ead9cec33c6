/** Rows of a block. Memory grows by blocks, so nothing large is ever copied. */
export const blockRows = 4_096;
/** 32-bit words of a sketch. */
export const sketchWords = 8;
export const sketchBits = sketchWords * 32;

/** What is compared of the rows of an index, in blocks. Two do it: plain JavaScript, and WebAssembly. */
export interface Rows {
  /** What all of them take. */
  readonly bytes: number;
  /** From now on there are so many blocks; those that stay keep what they hold. Throws a RangeError when there is no room. */
  resize(blocks: number): void;
  /** A row, to be read and written until the next `resize`. */
  at(row: number): Row;
  /** Compares the sketches of the first so many rows with one. What it answers is good until the next call. */
  measure(sketch: Int32Array, rows: number): Measured;
  /** The dot product of each of some rows' codes with one vector, whose sums stay below 2³¹. */
  dots(vector: Int16Array, rows: Int32Array): Int32Array;
}

export interface Row {
  readonly sketch: Int32Array;
  /** A byte a dimension, -127 to 127. */
  readonly codes: Int8Array;
}

export interface Measured {
  /** How many rows differ in 0, 1, … 256 bits. */
  readonly histogram: Int32Array;
  /** In how many bits each row of a block differs. */
  distancesOf(block: number): Uint16Array;
}
