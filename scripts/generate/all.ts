import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { repoRoot } from "../repo.ts";
import { generators } from "./generators.ts";

const usage = `Writes the files that are made from others: docs/errors.md, openapi.json, the gaps of package-lock.json, rows.wasm and
the Workers' worker-configuration.d.ts.

  npm run generate
`;

const { values } = parseArgs({ options: { help: { type: "boolean" } } });
if (values.help === true) process.stdout.write(usage);
else await generate();

/** One generator that fails stops no other; the exit status then is 1. */
async function generate(): Promise<void> {
  for (const generator of generators) {
    try {
      const made = await generator();
      const path = join(repoRoot, made.path);
      const wanted = Buffer.from("text" in made ? made.text : made.bytes);
      const isThere = await readFile(path).then(
        (there) => there.equals(wanted),
        () => false,
      );
      await mkdir(dirname(path), { recursive: true });
      if (!isThere) await writeFile(path, wanted);
      process.stdout.write(`${isThere ? "unchanged" : "written  "}  ${made.path}\n`);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}
