import { execFileSync } from "node:child_process";

/** What a cluster started. Ray starts no process outside its node's process group. */

const killAfterMs = 8_000;
const pollMs = 100;

/**
 * Those of the groups that still live and are ours: a number may have been given to somebody else's process since, so one of
 * the group's processes has to name `mark` in its arguments.
 */
export function groupsAlive(groups: readonly number[], mark: string): readonly number[] {
  const processes = execFileSync("ps", ["-A", "-ww", "-o", "pgid=,stat=,args="], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const ours = new Set<number>();
  for (const line of processes.split("\n")) {
    const [, group = "", state = "", args = ""] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (!state.startsWith("Z") && args.includes(mark)) ours.add(Number(group));
  }
  return groups.filter((group) => ours.has(group));
}

/** Ends the groups, by force when they take long. Resolves when none of them is left. */
export async function endGroups(groups: readonly number[], mark: string): Promise<void> {
  const endMs = Date.now() + killAfterMs;
  let alive = groupsAlive(groups, mark);
  for (const group of alive) signal(group, "SIGTERM");
  while (alive.length > 0) {
    if (Date.now() > endMs) for (const group of alive) signal(group, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    alive = groupsAlive(alive, mark);
  }
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // The group has ended by itself.
  }
}
