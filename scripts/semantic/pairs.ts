import { readFileSync } from "node:fs";

/** Two prompts, and whether they want the same answer. */
export interface Pair {
  readonly a: string;
  readonly b: string;
  readonly same: boolean;
  readonly group: string;
  /** `hand` or `generator`. */
  readonly by: string;
}

/** JSON lines. */
export function readPairs(path: string): readonly Pair[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
