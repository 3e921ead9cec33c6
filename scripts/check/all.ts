import { parseArgs } from "node:util";
import { dependencies } from "./dependencies.ts";
import { fileSize } from "./file-size.ts";
import { formatAndLint } from "./format-and-lint.ts";
import type { Gate } from "./gate.ts";
import { generatedFiles } from "./generated-files.ts";
import { imports } from "./imports.ts";
import { lockfile } from "./lockfile.ts";
import { noLeftovers } from "./no-leftovers.ts";
import { report, runGates } from "./run-gates.ts";
import { types } from "./types.ts";
import { workerBundles } from "./worker-bundles.ts";

/** Every gate, the cheap ones first. */
const gates: readonly Gate[] = [
  lockfile,
  dependencies,
  fileSize,
  noLeftovers,
  imports,
  formatAndLint,
  types,
  generatedFiles,
  workerBundles,
];

/** More at once gains nothing: the build machine has two cores, and tsc and wrangler use both. */
const concurrency = 2;

const usage = `Holds the repository to its rules.

  npm run check                     every gate
  npm run check -- --only imports   one gate; may be given several times

Gates: ${gates.map(({ name }) => name).join(", ")}.
Exit status: 0 when every gate passed, 1 when one failed, 2 when the command line is wrong.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = { only: { type: "string", multiple: true }, help: { type: "boolean" } } as const;
  const { values } = parseArgs({ options });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = (values.only ?? []).filter((name) => !gates.some((gate) => gate.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`There is no gate called ${unknown.map((name) => `'${name}'`).join(", ")}.\n\n${usage}`);
    return 2;
  }
  const chosen = gates.filter(({ name }) => values.only?.includes(name) ?? true);
  const outcomes = await runGates(chosen, concurrency, (line) => process.stdout.write(`${line}\n`));
  process.stdout.write(report(outcomes));
  return outcomes.some(({ findings }) => findings.length > 0) ? 1 : 0;
}
