import { readFile } from "node:fs/promises";
import { join } from "node:path";
import startWabt from "wabt";
import { repoRoot } from "../repo.ts";
import type { GeneratedBytes } from "./generated.ts";

const folder = join("packages", "policy", "src", "nearest");

/** `rows.wasm` from `rows.wat`. Throws with the assembler's words, which name the line. */
export async function nearestRows(): Promise<GeneratedBytes> {
  const source = join(folder, "rows.wat");
  const wabt = await startWabt();
  const module = wabt.parseWat(source, await readFile(join(repoRoot, source), "utf8"));
  try {
    module.validate();
    return { path: join(folder, "rows.wasm"), bytes: module.toBinary({}).buffer };
  } finally {
    module.destroy();
  }
}
