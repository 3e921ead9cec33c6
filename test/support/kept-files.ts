import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What lies in the files below a folder that others write to. A database's journal is there for as long as a transaction is. */
export function keptFiles(dir: string): readonly Buffer[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.flatMap(({ name, parentPath }) => {
    try {
      return [readFileSync(join(parentPath, name))];
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw fault;
    }
  });
}
