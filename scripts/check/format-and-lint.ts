import { installed, runCommand } from "./command.ts";
import type { Gate } from "./gate.ts";

/** Biome: one formatter, one linter; the rules are in biome.json. */
export const formatAndLint: Gate = {
  name: "format and lint",
  async run() {
    const { status, output } = await runCommand(installed("biome"), ["check", "--max-diagnostics=100", "."]);
    return status === 0 ? [] : [`${output.trim()}\n\nrun 'npm run format' for what can be mended by itself`];
  },
};
