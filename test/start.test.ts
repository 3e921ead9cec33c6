import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireFiles } from "../scripts/local/ledge.ts";
import { repoRoot } from "../scripts/repo.ts";
import { until } from "./support/ledge.ts";

/** `npm start` as a person or a script runs it: real processes, the real command line. */

const entry = join(repoRoot, "scripts", "start.mjs");

class Start {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], nodeArgs: readonly string[] = []) {
    // A process group of its own, as a terminal gives it: Ctrl-C reaches every process in it.
    this.child = spawn(process.execPath, [...nodeArgs, entry, ...args], { cwd: repoRoot, detached: true });
    this.child.stdout?.on("data", (chunk) => {
      this.stdout += String(chunk);
    });
    this.child.stderr?.on("data", (chunk) => {
      this.stderr += String(chunk);
    });
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    return this.child.exitCode;
  }

  /** Waits for a text on standard output; fails when the process ends without it. */
  async says(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.stderr}`);
      await Promise.race([once(this.child.stdout ?? this.child, "data"), once(this.child, "exit")]);
    }
  }

  async interrupt(): Promise<number | null> {
    process.kill(-(this.child.pid ?? 0), "SIGINT");
    return await this.ended();
  }
}

/** Every process and its parent, from Linux's /proc, or from `ps` where there is none: a bare machine may lack it. */
function processes(): [pid: number, parent: number][] {
  if (!existsSync("/proc/self/stat")) {
    const rows = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
    return rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  }
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  return pids.flatMap((pid) => {
    const fields = statOf(Number(pid));
    return fields === undefined ? [] : [[Number(pid), Number(fields[1])] as [number, number]];
  });
}

/** State and parent of a process; `undefined` when it is gone. The name before them may hold anything, so it is cut off. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** The ids of a process and all it started, and what those started. */
function family(root: number): number[] {
  const pairs = processes();
  const found = [root];
  for (const pid of found) found.push(...pairs.filter(([, parent]) => parent === pid).map(([child]) => child));
  return found;
}

/** A zombie has ended: only its parent has not been told yet. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return statOf(pid)?.[0] !== "Z";
}

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

describe("npm start", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "ledge-start-"));
  const args = ["--port", "0", "--origin-port", "0", "--data", dataDir];
  let start: Start;
  let ready: { ready: boolean; edge: string; origin: string; key: string; adminKey: string };

  beforeAll(async () => {
    start = new Start([...args, "--json"]);
    await start.says("\n");
    ready = JSON.parse(start.stdout);
  });
  afterAll(async () => {
    if (start.child.exitCode === null) await start.interrupt();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const ask = (at: string, key: string) =>
    fetch(`${at}/v1/predict`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ model: "intent", input: "what is on my calendar" }),
    });

  test("with --json prints one line for scripts, and everything else on standard error", async () => {
    expect(start.stdout.trim().split("\n")).toHaveLength(1);
    expect(Object.keys(ready)).toEqual(["ready", "edge", "origin", "key", "adminKey"]);
    expect(ready.ready).toBe(true);
    expect((await fetch(`${ready.origin}/healthz`)).status).toBe(200);
    expect((await ask(ready.edge, ready.key)).headers.get("Ledge-Tier")).toBe("edge");
    expect((await ask(ready.edge, ready.key)).headers.get("Cache-Status")).toContain("hit");
    expect(start.stderr).not.toContain(ready.key);
  });

  test("gives an operator's key that issues keys", async () => {
    const issued = await fetch(`${ready.edge}/admin/v1/keys`, {
      method: "POST",
      headers: { Authorization: `Bearer ${ready.adminKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ tenant: "acme", name: "ci" }),
    });
    expect(issued.status).toBe(201);
  });

  test("keeps its secrets where only their owner can read them", () => {
    expect(statSync(join(dataDir, "secrets.json")).mode & 0o077).toBe(0);
  });

  test("says in one sentence that a port is taken, and ends", async () => {
    for (const option of ["--port", "--origin-port"]) {
      const taken = createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      const { port } = taken.address() as { port: number };
      const other = new Start(["--port", "0", "--origin-port", "0", "--data", dataDir, option, String(port)]);
      expect(await other.ended()).toBe(1);
      expect(other.stderr.trim()).toBe(
        `Port ${port} is taken: stop what listens there, or choose another with ${option} N.`,
      );
      taken.close();
    }
  });

  test("on Ctrl-C ends every process it started, and with 0", async () => {
    const pids = family(start.child.pid ?? 0);
    expect(pids.length).toBeGreaterThanOrEqual(3);
    expect(await start.interrupt()).toBe(0);
    await until("all have ended", () => pids.every((pid) => !alive(pid)));
  });

  test("ends everything when only itself is told to stop, as a service manager does", async () => {
    const service = new Start([...args, "--json"]);
    await service.says("\n");
    const pids = family(service.child.pid ?? 0);
    service.child.kill("SIGTERM");
    expect(await service.ended()).toBe(0);
    await until("all have ended", () => pids.every((pid) => !alive(pid)));
  });

  test("remembers keys and answers of the last start", async () => {
    const again = new Start(args);
    await again.says("Ctrl-C stops everything.");
    expect(again.stdout).toContain(ready.key);
    const edge = /edge (http\S+)/.exec(again.stdout)?.[1] ?? "";
    expect((await ask(edge, ready.key)).headers.get("Cache-Status")).toContain("hit");
    await again.interrupt();
  });

  test.skipIf(!hasCurl)("prints three commands that work as pasted (needs curl)", async () => {
    const again = new Start(args);
    await again.says("Ctrl-C stops everything.");
    const commands = again.stdout.split("\n").filter((line) => line.startsWith("  curl "));
    expect(commands).toHaveLength(3);
    const paste = (command = "") => execFileSync("sh", ["-c", `${command} -sS`], { encoding: "utf8" });
    const [classify, chat, describeModel] = commands;
    expect(paste(classify)).toMatch(/ledge-tier: edge/i);
    expect(paste(classify)).toMatch(/cache-status: Ledge; hit/i);
    const streamed = paste(chat);
    expect(streamed.split("data: ").length).toBeGreaterThan(4);
    const events = streamed.split("\n").filter((line) => line.startsWith("data: "));
    expect(events.at(-1)).toBe("data: [DONE]");
    expect(JSON.parse(paste(describeModel)).name).toBe("intent");
    await again.interrupt();
  });

  test("with --fresh drops the state of earlier starts, and nothing else in the folder", async () => {
    const fresh = new Start([...args, "--json", "--fresh"]);
    await fresh.says("\n");
    const { edge, key } = JSON.parse(fresh.stdout);
    expect(key).not.toBe(ready.key);
    expect((await ask(edge, ready.key)).status).toBe(401);
    expect((await ask(edge, key)).headers.get("Cache-Status")).toContain("fwd=miss");
    await fresh.interrupt();
  });
});

test("npm start on an old Node says in one sentence what to do", async () => {
  const old = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})`;
  const start = new Start([], ["--import", old]);
  expect(await start.ended()).toBe(1);
  expect(start.stderr.trim()).toMatch(
    /^Ledge needs Node 22\.18 or newer and this is 20\.20\.2: run 'npm install' .*\.$/,
  );
});

test("npm start names the missing file and how to get it back", () => {
  expect(() => requireFiles(tmpdir())).toThrow(/model\.onnx.*Run 'git checkout -- /);
});

test.each([
  [["--port", "http"], "--port takes a port from 0 to 65535, not 'http'."],
  [["--porte", "1"], "Unknown option '--porte'"],
])("npm start with %j ends with a sentence and 2", async (args, sentence) => {
  const start = new Start(args);
  expect(await start.ended()).toBe(2);
  expect(start.stderr).toContain(sentence);
  expect(start.stderr).toContain("--help");
});

test("npm start --help tells every option", async () => {
  const start = new Start(["--help"]);
  expect(await start.ended()).toBe(0);
  for (const option of ["--port", "--origin-port", "--data", "--fresh", "--json"])
    expect(start.stdout).toContain(option);
});
