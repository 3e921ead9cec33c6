import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  findKustomize,
  type Kustomization,
  kustomizations,
  render,
  renderedDir,
  sourcesDigest,
  textOf,
} from "./manifests.ts";
import { ManifestCheck } from "./validate.ts";

/**
 * Renders every kustomization, says what is wrong with what comes out, and keeps it under origin/deploy/rendered, where tests
 * read it: `npm run render:deploy`. Exit status 1 when a manifest is not valid or kustomize is missing.
 */
async function main(): Promise<void> {
  const kustomize = await findKustomize();
  if (kustomize === undefined) {
    process.stderr.write("Neither kustomize nor kubectl is on the PATH: install one of them.\n");
    process.exitCode = 1;
    return;
  }
  const check = new ManifestCheck();
  mkdirSync(renderedDir, { recursive: true });
  for (const name of Object.keys(kustomizations) as Kustomization[]) {
    const objects = await render(kustomize, name);
    const faults = objects.flatMap((object) => check.faultsOf(object));
    writeFileSync(join(renderedDir, `${name}.json`), textOf({ sources: sourcesDigest(), objects }));
    process.stdout.write(`${name}: ${objects.length} objects, ${faults.length} faults\n`);
    for (const fault of faults) process.stderr.write(`${fault}\n`);
    if (faults.length > 0) process.exitCode = 1;
  }
}

await main();
