import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openApiDocument, operations, operatorOperations } from "@ledge/contract/openapi";
import { repoRoot } from "../repo.ts";
import type { Generated } from "./generated.ts";

/** `openapi.json`, what callers may do. Indented so that its diffs can be read; the gateway's build packs it tight again. */
export const openApi = () => described("openapi.json", operations);

/** `openapi-operator.json`, what the operator may. */
export const operatorOpenApi = () => described("openapi-operator.json", operatorOperations);

async function described(path: string, part: typeof operations): Promise<Generated> {
  const { version } = JSON.parse(await readFile(join(repoRoot, "package.json"), "utf8"));
  return { path, text: `${JSON.stringify(openApiDocument(version, part), null, 1)}\n` };
}
