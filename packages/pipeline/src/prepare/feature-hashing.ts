import { utf8BytesMax, writeUtf8 } from "@ledge/contract";
import type { FeatureHashing, GramFamily, PairFamily } from "./feature-hashing.schema.ts";

/** Turns a text into feature ids, at most `maxIds`, in the order the recipe states. */
export type Featurize = (text: string) => Int32Array;

/**
 * Hashes words, pairs of neighbouring words and character n-grams of UTF-8 bytes into buckets.
 *
 * The returned function keeps its buffers between calls and allocates only the answer. Its work is bounded by `maxIds`
 * and the text's length, not by what the text holds.
 *
 * @example
 * const featurize = featureHasher(model.preprocess);
 * featurize("book a flight"); // Int32Array [ 2711, 1, 3802, … ]
 */
export function featureHasher(spec: FeatureHashing): Featurize {
  const hasher = new FeatureHasher(spec);
  return (text) => hasher.ids(text);
}

const space = 32;
const notAWord = -1;

class FeatureHasher {
  readonly #spec: FeatureHashing;
  /** What each byte becomes: itself, its lower case, or {@link notAWord}. */
  readonly #map: Int16Array;
  readonly #ids: Int32Array;
  #bytes = new Uint8Array(1024);
  /** Where each word begins and ends in the bytes, in turns. n bytes hold at most (n + 1) / 2 words. */
  #bounds = new Int32Array(1024 + 2);
  #count = 0;

  constructor(spec: FeatureHashing) {
    this.#spec = spec;
    this.#map = byteMap(spec);
    this.#ids = new Int32Array(spec.maxIds);
  }

  ids(text: string): Int32Array {
    const words = this.#readWords(text);
    this.#count = 0;
    for (const family of this.#spec.families) {
      if (family.kind === "chars") this.#grams(words, family);
      else if (family.n === 2) this.#pairs(words, family);
      else {
        for (let word = 0; word < words && !this.#full(); word++) {
          this.#push(this.#hashWord(this.#start(family.seed), word), family);
        }
      }
    }
    return this.#ids.slice(0, this.#count);
  }

  /** Encodes the text, maps its bytes in place, notes the words' bounds, and returns how many words there are. */
  #readWords(text: string): number {
    this.#grow(utf8BytesMax(text));
    const bytes = this.#bytes;
    const length = writeUtf8(text, bytes);
    let words = 0;
    let begin = -1;
    for (let at = 0; at <= length; at++) {
      const mapped = at < length ? (this.#map[bytes[at] ?? 0] ?? notAWord) : notAWord;
      if (mapped !== notAWord) {
        bytes[at] = mapped;
        if (begin < 0) begin = at;
      } else if (begin >= 0) {
        this.#bounds[2 * words] = begin;
        this.#bounds[2 * words + 1] = at;
        begin = -1;
        words++;
      }
    }
    return words;
  }

  #grow(bytes: number): void {
    if (this.#bytes.length >= bytes) return;
    this.#bytes = new Uint8Array(bytes);
    this.#bounds = new Int32Array(bytes + 2);
  }

  #pairs(words: number, family: PairFamily): void {
    for (let word = 0; word <= words && !this.#full(); word++) {
      let value = this.#start(family.seed);
      value = word === 0 ? this.#step(value, family.start) : this.#hashWord(value, word - 1);
      value = this.#step(value, family.join);
      value = word === words ? this.#step(value, family.end) : this.#hashWord(value, word);
      this.#push(value, family);
    }
  }

  /** The hot loop: what it reads stands in locals, since every look into `this` counts here. */
  #grams(words: number, { min, max, seed, start, end, offset, buckets }: GramFamily): void {
    const { basis, prime } = this.#spec.hash;
    const bytes = this.#bytes;
    const ids = this.#ids;
    for (let word = 0; word < words; word++) {
      const first = (this.#bounds[2 * word] ?? 0) - 1;
      const last = this.#bounds[2 * word + 1] ?? 0;
      for (let size = min; size <= max; size++) {
        for (let from = first; from + size <= last + 1; from++) {
          if (this.#count === ids.length) return;
          let value = basis ^ seed;
          for (let at = from; at < from + size; at++) {
            const byte = at === first ? start : at === last ? end : (bytes[at] ?? 0);
            value = Math.imul(value ^ byte, prime);
          }
          ids[this.#count++] = offset + ((value >>> 0) % buckets);
        }
      }
    }
  }

  #hashWord(from: number, word: number): number {
    let value = from;
    const end = this.#bounds[2 * word + 1] ?? 0;
    for (let at = this.#bounds[2 * word] ?? 0; at < end; at++) value = this.#step(value, this.#bytes[at] ?? 0);
    return value;
  }

  #start(seed: number): number {
    return this.#spec.hash.basis ^ seed;
  }

  /** FNV-1a: exclusive or, then multiply, 32 bits. */
  #step(value: number, byte: number): number {
    return Math.imul(value ^ byte, this.#spec.hash.prime);
  }

  #push(value: number, family: { readonly offset: number; readonly buckets: number }): void {
    if (!this.#full()) this.#ids[this.#count++] = family.offset + ((value >>> 0) % family.buckets);
  }

  #full(): boolean {
    return this.#count === this.#ids.length;
  }
}

function byteMap(spec: FeatureHashing): Int16Array {
  const map = new Int16Array(256).fill(notAWord);
  const isWord = (byte: number) => byte !== space && spec.wordBytes.some(([low, high]) => byte >= low && byte <= high);
  for (let byte = 0; byte < 256; byte++) {
    const isUpper = spec.lowercase === "ascii" && byte >= 65 && byte <= 90;
    const lowered = isUpper ? byte + 32 : byte;
    if (isWord(lowered)) map[byte] = lowered;
  }
  return map;
}
