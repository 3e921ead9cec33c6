import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Generated } from "../generate/generated.ts";
import { generators } from "../generate/generators.ts";
import { repoRoot } from "../repo.ts";
import type { Gate } from "./gate.ts";

/** What is generated must be, byte for byte, what the generators make of its sources now. */
export const generatedFiles: Gate = {
  name: "generated files",
  async run() {
    const findings: string[] = [];
    for (const generator of generators) findings.push(...(await slipsOf(generator)));
    return findings;
  },
};

async function slipsOf(generator: () => Promise<Generated>): Promise<readonly string[]> {
  try {
    const made = await generator();
    return driftOf(made, await readFile(join(repoRoot, made.path), "utf8").catch(() => undefined));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** `committed` is absent when there is no such file. */
export function driftOf({ path, text }: Generated, committed: string | undefined): readonly string[] {
  if (committed === text) return [];
  const why = committed === undefined ? "is missing" : `differs from line ${firstDifference(text, committed)}`;
  return [`${path} ${why}: run 'npm run generate'`];
}

function firstDifference(text: string, committed: string): number {
  const lines = committed.split("\n");
  const at = text.split("\n").findIndex((line, index) => line !== lines[index]);
  return (at < 0 ? text.split("\n").length : at) + 1;
}
