import { spawn } from "node:child_process";
import { once } from "node:events";

/** Node has no locks that the system takes back from a dead process; Python has. It holds one until its input ends. */
const holder = `import fcntl, sys
with open(sys.argv[1], "a") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()`;

/** Does the work while nobody else on this machine does work under the same lock, a file that stays; waits for whoever does. Needs `python3`. */
export async function alone<T>(lock: string, work: () => Promise<T>): Promise<T> {
  const child = spawn("python3", ["-c", holder, lock], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const held = await Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
  if (held === undefined) throw new Error(`${lock} can't be locked`);
  try {
    return await work();
  } finally {
    child.stdin.end();
    await ended;
  }
}
