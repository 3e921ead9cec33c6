import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the Workers' bundles are made of. `.package-lock.json` is npm's own record of what is installed. */
const folders = ["workers", "packages", "models"];
const files = ["scripts/build-runtime.ts", "scripts/unshare-runtime.ts", "node_modules/.package-lock.json"];

/** Folders that hold output, not sources. */
const output = new Set(["node_modules", "dist", "runtime", ".wrangler", "__pycache__"]);

/** SHA-256 over every file that a bundle of this checkout may be made of, in hex. Tests make no bundle. */
export function sourceDigest(root: string): string {
  const hash = createHash("sha256");
  for (const path of [...folders.flatMap((folder) => filesUnder(root, folder)), ...files]) {
    if (path.endsWith(".test.ts")) continue;
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${bytes.byteLength}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** All files in the folder and below, from the root and in a stable order. */
function filesUnder(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return output.has(entry.name) ? [] : filesUnder(root, path);
    return entry.isFile() ? [path] : [];
  });
}
