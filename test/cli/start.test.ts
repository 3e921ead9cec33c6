import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repoRoot } from "../../scripts/repo.ts";
import { until } from "../support/ledge.ts";
import { endlessGraph } from "../support/onnx-models.ts";

/** The command line as a process. */

const starter = join(repoRoot, "packages", "cli", "bin", "ledge.mjs");
const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));

function run(args: readonly string[], options: { node?: readonly string[]; env?: Record<string, string> } = {}) {
  const child = spawn(process.execPath, [...(options.node ?? []), starter, ...args], {
    cwd: root,
    env: { ...process.env, ...options.env },
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      output[name] += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, output, ended };
}

describe("ledge as a program", () => {
  test("is there as 'npx ledge' after npm install, and answers --help on standard output", async () => {
    const text = execFileSync(join(repoRoot, "node_modules", ".bin", "ledge"), ["--help"], {
      encoding: "utf8",
      env: { ...process.env, PATH: `${join(process.execPath, "..")}:${process.env.PATH}` },
    });
    expect(text).toMatch(/^Usage: ledge /);
  });

  test("says on an old Node in one sentence what to type", async () => {
    const old = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})`;
    const { output, ended } = run(["--help"], { node: ["--import", old] });
    expect([await ended, output.stdout]).toEqual([1, ""]);
    expect(output.stderr).toMatch(/^Ledge needs Node 22\.18 or newer and this is 20\.20\.2: type 'npx ledge …'.*\n$/);
  });

  test("ends what it started to measure when it is interrupted, and even when it is killed", async () => {
    writeFileSync(join(root, "endless.onnx"), endlessGraph());
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGKILL", null],
    ] as const) {
      const { child, ended, output } = run(["model", "measure", "endless.onnx"]);
      await until("the model is run", () => childrenOf(child.pid).length > 0, 30_000);
      const started = childrenOf(child.pid);
      child.kill(signal);
      expect([await ended, output.stdout]).toEqual([code, ""]);
      await until("nothing is left", () => started.every((pid) => !isRunning(pid)), 30_000);
    }
  });
});

function processes(): readonly (readonly [pid: number, parent: number, state: string])[] {
  const lines = execFileSync("ps", ["-axo", "pid=,ppid=,stat="], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => {
    const [pid, parent, state = ""] = line.trim().split(/\s+/);
    return [Number(pid), Number(parent), state];
  });
}

const childrenOf = (parent: number | undefined) =>
  processes().flatMap(([pid, above]) => (above === parent ? [pid] : []));
const isRunning = (pid: number) => processes().some(([one, , state]) => one === pid && !state.startsWith("Z"));

describe("a recipe", () => {
  /** A Python that has every package, or none, and says how it was called. */
  function python(name: string, lacking: string): string {
    const path = join(root, name);
    const report = `if [ "$1" = "-c" ]; then echo "${lacking}"; else shift; echo "recipe: $* with $LEDGE_CLI"; exit "\${RECIPE_CODE:-0}"; fi`;
    writeFileSync(path, `#!/bin/sh\n${report}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  test("gets all that follows its name, and how to start this command line", async () => {
    const env = { LEDGE_PYTHON: python("whole", "") };
    const { output, ended } = run(["model", "quantize", "a.onnx", "b.onnx", "--scheme", "fp16", "--help"], { env });
    expect([await ended, output.stderr]).toEqual([0, ""]);
    expect(output.stdout).toMatch(/^recipe: a\.onnx b\.onnx --scheme fp16 --help with ".*node.*" ".*ledge\.mjs"\n$/);
  });

  test("passes its end on: 2 for what it could not understand, 1 for any other failure", async () => {
    const env = { LEDGE_PYTHON: python("whole", "") };
    for (const [code, expected] of [
      ["2", 2],
      ["3", 1],
    ] as const) {
      expect(await run(["model", "prune", "x"], { env: { ...env, RECIPE_CODE: code } }).ended).toBe(expected);
    }
  });

  test("that lacks packages says which, and what to type", async () => {
    const env = { LEDGE_PYTHON: python("bare", "torch onnx") };
    const { output, ended } = run(["model", "distill", "--help"], { env });
    expect([await ended, output.stderr]).toEqual([1, expect.stringContaining("This Python lacks torch, onnx.")]);
    expect(output.stderr).toContain("python3 -m venv .venv && .venv/bin/pip install -r");
    expect(output.stdout).toMatch(/^Usage: ledge model distill/);
  });

  test("without Python says what to name", async () => {
    const { output, ended } = run(["model", "distill"], { env: { LEDGE_PYTHON: join(root, "nowhere") } });
    expect([await ended, output.stderr]).toEqual([1, expect.stringContaining("name one with LEDGE_PYTHON")]);
  });
});
