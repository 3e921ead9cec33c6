import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { repoRoot } from "../repo.ts";
import { generators } from "./generators.ts";

const usage = `Writes the files that are made from others: docs/errors.md, openapi.json, the gaps of package-lock.json and the
Workers' worker-configuration.d.ts.

  npm run generate
`;

const { values } = parseArgs({ options: { help: { type: "boolean" } } });
if (values.help === true) process.stdout.write(usage);
else await generate();

/** One generator that fails stops no other; the exit status then is 1. */
async function generate(): Promise<void> {
  for (const generator of generators) {
    try {
      const { path, text } = await generator();
      const changed = text !== (await readFile(join(repoRoot, path), "utf8").catch(() => undefined));
      await mkdir(dirname(join(repoRoot, path)), { recursive: true });
      if (changed) await writeFile(join(repoRoot, path), text);
      process.stdout.write(`${changed ? "written  " : "unchanged"}  ${path}\n`);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}
