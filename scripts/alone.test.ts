import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alone } from "./alone.ts";
import { hasPython } from "./python-venv.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alone-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!(await hasPython()))("work that one process does at a time", () => {
  it("is never done by two at once, in one process or in several", async () => {
    const program = join(folder, "count.ts");
    // A counter without a lock of its own: what two do at once is lost.
    writeFileSync(
      program,
      `import { readFileSync, writeFileSync } from "node:fs";
       import { setTimeout as after } from "node:timers/promises";
       import { alone } from ${JSON.stringify(join(import.meta.dirname, "alone.ts"))};
       const [lock, count] = process.argv.slice(2);
       const add = () => alone(lock, async () => {
         const was = Number(readFileSync(count, "utf8"));
         await after(5);
         writeFileSync(count, String(was + 1));
       });
       await Promise.all([add(), add(), add()]);`,
    );
    const count = join(folder, "count");
    writeFileSync(count, "0");
    const run = () =>
      new Promise<number | null>((resolve) => {
        spawn(process.execPath, [program, join(folder, "lock"), count], { stdio: "inherit" }).on("close", resolve);
      });
    expect(await Promise.all([run(), run(), run()])).toEqual([0, 0, 0]);
    expect(readFileSync(count, "utf8")).toBe("9");
  });

  it("is not held up by a process that was killed at it", async () => {
    const lock = join(folder, "lock");
    const program = join(folder, "hold.ts");
    writeFileSync(
      program,
      `import { alone } from ${JSON.stringify(join(import.meta.dirname, "alone.ts"))};
       await alone(process.argv[2], async () => {
         console.log("held");
         await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
       });`,
    );
    const killed = spawn(process.execPath, [program, lock], { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    expect(await alone(lock, async () => "done")).toBe("done");
  });

  it("gives its lock back when it fails", async () => {
    const lock = join(folder, "lock");
    await expect(
      alone(lock, async () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await alone(lock, async () => "done")).toBe("done");
  });
});
