import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repoRoot } from "../../scripts/repo.ts";
import type { Fault } from "./cache/specimen/faults.ts";
import { startSpecimen } from "./cache/specimen/gateway.ts";
import { MockOrigin } from "./suite/mock-origin.ts";
import type { Report } from "./suite/report.ts";

/** `npm run conformance` from outside, against a gateway that is not Ledge. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conformance-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: readonly string[]) {
  const command = join(repoRoot, "test", "conformance", "command.ts");
  const child = spawn(process.execPath, [command, ...args], { cwd: repoRoot });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, error };
}

/** The command against a specimen whose upstream is the port that the command will listen on. */
async function against(fault: Fault | undefined, ...args: readonly string[]) {
  const origin = await MockOrigin.listen();
  const { port } = new URL(origin.url);
  await origin.close();
  const specimen = await startSpecimen(origin.url, fault);
  try {
    return await run("--target", specimen.target.url, "--origin-port", port, ...args);
  } finally {
    await specimen.close();
  }
}

describe("the command", () => {
  test("ends with 0 when every rule passes, and writes what it found", async () => {
    const json = join(folder, "one.json");
    const { code, out } = await against(
      undefined,
      "--only",
      "equal-hits,other-tenant",
      "--json",
      json,
      "--title",
      "One",
    );
    expect([code, out.includes("2 pass, 0 fail")]).toEqual([0, true]);
    const report = JSON.parse(readFileSync(json, "utf8")) as Report;
    expect(report.verdicts.map(({ id, outcome }) => [id, outcome])).toEqual([
      ["equal-hits", "pass"],
      ["other-tenant", "pass"],
    ]);
    expect((await run("--table", json)).out).toContain("| rule | One |");
  });

  test("ends with 1 for a leak, whatever the target claims", async () => {
    const { code, out } = await against("leaves the tenant out", "--only", "other-tenant", "--claims", "exact");
    expect([code, out.includes("tenant b got what the origin told tenant a")]).toEqual([1, true]);
  });

  test("tells what a target does not claim and does not do from a failure", async () => {
    const { code, out } = await against("replays streams in one piece", "--only", "stream-pieces");
    expect([code, out.includes("1 not offered")]).toEqual([0, true]);
  });

  test("says so, and judges nothing, when its origin is not the target's upstream", async () => {
    const specimen = await startSpecimen("http://127.0.0.1:1");
    const { code, error } = await run("--target", specimen.target.url, "--origin-port", "0");
    await specimen.close();
    expect([code, error.includes("does not reach")]).toEqual([2, true]);
  });

  test("says in one sentence what of its options it does not understand", async () => {
    for (const wrong of [["--profile", "nobody"], ["--origin-port", "x"], ["--header", "x"], ["--nothing"]]) {
      expect((await run("--target", "http://127.0.0.1:1", ...wrong)).code).toBe(2);
    }
    expect((await run("--help")).out).toContain("npm run conformance");
  });
});
