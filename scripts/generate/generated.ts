/** A file that a generator makes: never edited by hand, compared byte for byte by the `generated files` gate. */
export type Generated = GeneratedText | GeneratedBytes;

export interface GeneratedText {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

export interface GeneratedBytes {
  /** From the repository's root. */
  readonly path: string;
  readonly bytes: Uint8Array;
}
