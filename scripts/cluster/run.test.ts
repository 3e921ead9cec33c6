import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../check/command.ts";
import { repoRoot } from "../repo.ts";

const command = join(repoRoot, "scripts", "cluster", "run.ts");

test("--help says what can be typed, and starts nothing", async () => {
  const { status, output } = await runCommand(process.execPath, [command, "--help"]);
  expect(status).toBe(0);
  for (const option of ["stop", "--port", "--tensor", "--pipeline", "--dashboard"]) expect(output).toContain(option);
});

test("an option that is wrong is told in a sentence, not as a stack of calls", async () => {
  const { status, output } = await runCommand(process.execPath, [command, "--tensor", "1"]);
  expect([status, output.trim()]).toEqual([1, "--tensor takes a whole number from 2 to 16, not '1'."]);
});

test.skipIf(process.platform !== "linux")("a machine without python3 is told what it needs", async () => {
  const { status, output } = await runCommand("/usr/bin/env", ["-u", "CI", "PATH=/nowhere", process.execPath, command]);
  expect([status, output]).toEqual([1, expect.stringContaining("needs python3 (3.11 or later)")]);
});
