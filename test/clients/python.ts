import { join } from "node:path";
import { venvOf } from "../../scripts/python-venv.ts";
import { repoRoot } from "../../scripts/repo.ts";

export { hasPython, must, needsPython } from "../../scripts/python-venv.ts";

/** An interpreter with these requirements: see `venvOf`. */
export function pythonWith(requirements: string): Promise<string> {
  return venvOf(join(repoRoot, "test", "clients", requirements));
}
