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
    return driftOf(made, await readFile(join(repoRoot, made.path)).catch(() => undefined));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** `committed` is absent when there is no such file. */
export function driftOf(made: Generated, committed: Buffer | undefined): readonly string[] {
  if (committed?.equals(Buffer.from("text" in made ? made.text : made.bytes))) return [];
  return [
    `${made.path} ${committed === undefined ? "is missing" : difference(made, committed)}: run 'npm run generate'`,
  ];
}

function difference(made: Generated, committed: Buffer): string {
  return "text" in made ? `differs from line ${firstDifference(made.text, committed.toString())}` : "differs";
}

function firstDifference(text: string, committed: string): number {
  const lines = committed.split("\n");
  const at = text.split("\n").findIndex((line, index) => line !== lines[index]);
  return (at < 0 ? text.split("\n").length : at) + 1;
}
