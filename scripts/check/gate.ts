/** One rule of the repository that a machine holds. */
export interface Gate {
  /** What `--only` takes and the report prints. */
  readonly name: string;
  /**
   * Looks at the repository and returns what is wrong with it, one finding a line; none means that it passed.
   * `warn` takes what is worth a look and fails nothing. A throw is a finding too: a gate that cannot look has not passed.
   */
  run(warn: (line: string) => void): Promise<readonly string[]>;
}
