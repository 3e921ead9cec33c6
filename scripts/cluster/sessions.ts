import { execFileSync } from "node:child_process";

/** What a cluster started. Each node is a session of its own, and Ray starts no process outside of it. */

const killAfterMs = 8_000;
const pollMs = 100;

export interface Process {
  readonly pid: number;
  readonly session: number;
  /** The command line; Ray's workers put there what they are, like `ray::Shard`. */
  readonly args: string;
}

/**
 * Those of the sessions that still live and are ours: a number may have been given to somebody else's process since, so one of
 * the session's processes has to name `mark` in its arguments.
 */
export function sessionsAlive(sessions: readonly number[], mark: string): readonly number[] {
  const ours = new Set(processes().flatMap(({ session, args }) => (args.includes(mark) ? [session] : [])));
  return sessions.filter((session) => ours.has(session));
}

/** Ends the sessions, by force when they take long. Resolves when no process of theirs is left. */
export async function endSessions(sessions: readonly number[], mark: string): Promise<void> {
  const endMs = Date.now() + killAfterMs;
  // Ray's workers name no mark. Once a session is known to be ours, it is as long as one of its processes lives.
  const ours = new Set(sessionsAlive(sessions, mark));
  const left = () => processes().filter(({ session }) => ours.has(session));
  for (const { pid } of left()) signal(pid, "SIGTERM");
  while (left().length > 0) {
    if (Date.now() > endMs) for (const { pid } of left()) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** All that run on the machine, those apart that have ended and wait for their parents. */
export function processes(): readonly Process[] {
  const said = execFileSync("ps", ["-A", "-ww", "-o", "pid=,sess=,stat=,args="], {
    encoding: "utf8",
    maxBuffer: 67_108_864,
  });
  return said.split("\n").flatMap((line) => {
    const [, pid, session, state = "Z", args = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return state.startsWith("Z") ? [] : [{ pid: Number(pid), session: Number(session), args }];
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
