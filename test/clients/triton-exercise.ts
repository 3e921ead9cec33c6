import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repoRoot } from "../../scripts/repo.ts";
import { adminKey, type TestEdge } from "../support/ledge.ts";
import { must, pythonWith } from "./python.ts";
import { writeTritonModels } from "./triton-models.ts";

/** What each check of test/clients/triton came to, by its name. */
export type Seen = Readonly<Record<string, unknown>>;

export const tritonScripts = join(repoRoot, "test", "clients", "triton");

/** Runs the script against a server. `models`: a folder of models in that server's own format. Throws when it breaks off. */
export async function exercise(host: string, models: string, keys: Readonly<Record<string, string>>): Promise<Seen> {
  const python = await pythonWith("triton/requirements.txt");
  return JSON.parse(await must(python, [join(tritonScripts, "exercise.py"), host, models], keys));
}

export async function exerciseLedge(edge: TestEdge): Promise<Seen> {
  const { key } = await edge.issueKey();
  const models = mkdtempSync(join(tmpdir(), "triton-models-"));
  writeTritonModels(models);
  try {
    return await exercise(new URL(edge.url).host, models, { CALLER_KEY: key, OPERATOR_KEY: adminKey });
  } finally {
    rmSync(models, { recursive: true });
  }
}
