import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openApiDocument } from "@ledge/contract/openapi";
import { repoRoot } from "../repo.ts";
import type { Generated } from "./generated.ts";

/** `openapi.json`, indented so that its diffs can be read; the gateway's build packs it tight again. */
export async function openApi(): Promise<Generated> {
  const { version } = JSON.parse(await readFile(join(repoRoot, "package.json"), "utf8"));
  return { path: "openapi.json", text: `${JSON.stringify(openApiDocument(version), null, 1)}\n` };
}
