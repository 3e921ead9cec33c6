/** A file that a generator makes: never edited by hand, compared byte for byte by the `generated files` gate. */
export interface Generated {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}
