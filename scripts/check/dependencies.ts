import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { repoRoot } from "../repo.ts";
import type { Gate } from "./gate.ts";
import { readSources, repositoryFiles, type SourceFile } from "./repository-files.ts";

const page = "docs/dependencies.md";

/** A dependency is taken with a reason, at one exact version, the same in every package. */
export const dependencies: Gate = {
  name: "dependencies",
  async run() {
    const manifests = (await repositoryFiles()).filter((path) => posix.basename(path) === "package.json");
    return dependencySlips(await readSources(manifests), await readFile(join(repoRoot, page), "utf8"));
  },
};

export function dependencySlips(manifests: readonly SourceFile[], text: string): readonly string[] {
  const rows = new Map(
    [...text.matchAll(/^\| `([^`]+)` \| ([^ |]+) \|/gm)].map(([, name, version]) => [name, version]),
  );
  const pinned = manifests.flatMap(pinsIn);
  const slips = pinned.flatMap(({ path, name, version }) => {
    if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) return [`${path} pins no exact version of ${name}: '${version}'`];
    if (!rows.has(name)) return [`${page} has no row for ${name}, which ${path} declares`];
    return rows.get(name) === version ? [] : [`${page} says ${name} ${rows.get(name)}, ${path} says ${version}`];
  });
  const gone = [...rows.keys()].filter((row) => !pinned.some(({ name }) => name === row));
  return [...slips, ...gone.map((name) => `${page} has a row for ${name}, which no package declares`)];
}

/** What a package.json declares, packages of this repository excepted. */
function pinsIn({ path, text }: SourceFile) {
  const { dependencies: runtime, devDependencies } = JSON.parse(text);
  return Object.entries<string>({ ...runtime, ...devDependencies })
    .filter(([name]) => !name.startsWith("@ledge/"))
    .map(([name, version]) => ({ path, name, version }));
}
