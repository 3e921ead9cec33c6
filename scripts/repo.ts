import { fileURLToPath } from "node:url";

/** The repository's root, without a trailing slash. */
export const repoRoot = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
