/**
 * An expected failure: one sentence for the user, which says what to type where that helps. Anything else that is thrown
 * is a bug.
 */
export class Refusal extends Error {
  /** 1: what was asked for failed. 2: the command line cannot be understood. */
  readonly exitCode: 1 | 2;

  constructor(sentence: string, exitCode: 1 | 2 = 1) {
    super(sentence);
    this.name = "Refusal";
    this.exitCode = exitCode;
  }
}
