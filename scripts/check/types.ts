import { join } from "node:path";
import { installed, runCommand } from "./command.ts";
import type { Gate } from "./gate.ts";
import { repositoryFiles } from "./repository-files.ts";

/** Strict TypeScript in every package; the root's tsconfig covers scripts, test/ and the tests beside the code. */
export const types: Gate = {
  name: "types",
  async run() {
    const files = await repositoryFiles();
    const projects = files.filter((path) => path.endsWith("tsconfig.json"));
    const findings: string[] = [];
    // One after the other: a native tsc takes under a second and every core.
    for (const project of projects) {
      const { status, output } = await runCommand(installed("tsc"), ["--project", project]);
      if (status !== 0) findings.push(`${project}\n${output.trim()}`);
    }
    const pure = await runCommand(installed("tsc"), ["--showConfig", "--project", join("packages", "policy")]);
    return [...findings, ...puritySlips(pure.output)];
  },
};

/**
 * `packages/policy` decides and touches nothing: without DOM, Node or Workers types, `fetch`, `crypto` and timers do not
 * even compile there. Takes what `tsc --showConfig` prints.
 */
export function puritySlips(shownConfig: string): readonly string[] {
  const { compilerOptions = {} } = JSON.parse(shownConfig);
  const holds = same(compilerOptions.lib, ["es2023"]) && same(compilerOptions.types, []);
  return holds ? [] : [`packages/policy/tsconfig.json must compile with "lib": ["ES2023"] and "types": []`];
}

function same(given: unknown, wanted: readonly string[]): boolean {
  return Array.isArray(given) && JSON.stringify(given).toLowerCase() === JSON.stringify(wanted);
}
