import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { repoRoot } from "../repo.ts";

/** A package of this repository. The root is one too: it owns scripts/ and test/. */
export interface Workspace {
  readonly name: string;
  /** From the repository's root; empty for the root. */
  readonly dir: string;
  /** Every package that its package.json declares. */
  readonly declared: ReadonlySet<string>;
}

/** Reads every package.json among `files`; the root comes last. */
export async function readWorkspaces(files: readonly string[]): Promise<readonly Workspace[]> {
  const manifests = files.filter((path) => posix.basename(path) === "package.json");
  const read = await Promise.all(manifests.map(workspaceOf));
  return read.sort((a, b) => b.dir.length - a.dir.length);
}

async function workspaceOf(path: string): Promise<Workspace> {
  const { name, dependencies, devDependencies } = JSON.parse(await readFile(join(repoRoot, path), "utf8"));
  const dir = posix.dirname(path);
  return {
    name,
    dir: dir === "." ? "" : dir,
    declared: new Set(Object.keys({ ...dependencies, ...devDependencies })),
  };
}

/** The package a file belongs to: the nearest package.json above it. */
export function ownerOf(path: string, workspaces: readonly Workspace[]): Workspace | undefined {
  return workspaces.find(({ dir }) => dir === "" || path.startsWith(`${dir}/`));
}
