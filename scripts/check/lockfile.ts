import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repoRoot } from "../repo.ts";
import type { Gate } from "./gate.ts";
import { lockfileGaps, pinnedHosts } from "./lockfile-gaps.ts";

/** `npm ci` must work on every system and against every registry. */
export const lockfile: Gate = {
  name: "lockfile",
  async run() {
    const lock = JSON.parse(await readFile(join(repoRoot, "package-lock.json"), "utf8"));
    return [
      ...lockfileGaps(lock).map(
        ({ from, name }) => `${from} needs ${name}, which has no entry: run 'npm run generate'`,
      ),
      ...pinnedHosts(lock).map((path) => `${path} names the host it comes from: delete its 'resolved'`),
    ];
  },
};
