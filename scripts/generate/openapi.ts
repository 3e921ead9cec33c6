import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  blockOperations,
  cacheOperations,
  inferenceOperations,
  jobOperations,
  keyOperations,
  openApiDocument,
  operations,
  operatorOperations,
  tenancyOperations,
  termsOperations,
  usageOperations,
} from "@ledge/contract/openapi";
import { repoRoot } from "../repo.ts";
import type { Generated } from "./generated.ts";

/** `openapi.json`, what callers may do. Indented so that its diffs can be read; the operator Worker's build packs it tight again. */
export const openApi = () => described("openapi.json", operations);

/** `openapi-inference.json`, the Open Inference Protocol. */
export const inferenceOpenApi = () => described("openapi-inference.json", inferenceOperations);

/** `openapi-operator.json`, what the operator may. */
export const operatorOpenApi = () => described("openapi-operator.json", operatorOperations);

/** `openapi-cache.json`, what the operator may of the answer cache. */
export const cacheOpenApi = () => described("openapi-cache.json", cacheOperations);

/** `openapi-jobs.json`, calls that are answered later. */
export const jobsOpenApi = () => described("openapi-jobs.json", jobOperations);

/** `openapi-keys.json`, API keys: what the operator may, and tenants themselves. */
export const keysOpenApi = () => described("openapi-keys.json", keyOperations);

/** `openapi-tenancy.json`, tenants, their projects and members. */
export const tenancyOpenApi = () => described("openapi-tenancy.json", tenancyOperations);

/** `openapi-terms.json`, plans, tiers, prices and the operator's own credentials. */
export const termsOpenApi = () => described("openapi-terms.json", termsOperations);
/** `openapi-usage.json`, what the operator may learn of usage. */
export const usageOpenApi = () => described("openapi-usage.json", usageOperations);
/** `openapi-blocks.json`, what the operator may of blocked callers. */
export const blocksOpenApi = () => described("openapi-blocks.json", blockOperations);

async function described(path: string, part: typeof operations): Promise<Generated> {
  const { version } = JSON.parse(await readFile(join(repoRoot, "package.json"), "utf8"));
  return { path, text: `${JSON.stringify(openApiDocument(version, part), null, 1)}\n` };
}
