import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repoRoot } from "../repo.ts";
import { runCommand } from "./command.ts";

/** The files of the repository, committed or about to be: all that git does not ignore, in a stable order. */
export async function repositoryFiles(): Promise<readonly string[]> {
  const listed = await runCommand("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  if (listed.status !== 0) throw new Error(`git cannot list the files:\n${listed.output}`);
  const deleted = await runCommand("git", ["ls-files", "-z", "--deleted"]);
  const gone = new Set(deleted.output.split("\0"));
  return [...new Set(listed.output.split("\0"))].filter((path) => path !== "" && !gone.has(path)).sort();
}

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Reads files as UTF-8, in the given order. */
export function readSources(paths: readonly string[]): Promise<readonly SourceFile[]> {
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(repoRoot, path), "utf8") })));
}
