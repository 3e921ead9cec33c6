import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repoRoot } from "../repo.ts";

const page = readFileSync(join(repoRoot, "docs", "security.md"), "utf8");
const [protections = "", residue] = page.split("\n## What does not protect\n");
const claims = protections.split("\n").filter((line) => line.startsWith("- "));

/** A test as the page names it: its file, and its name or that of its group as its source writes it. */
const named = [...page.matchAll(/`([\w./-]+\.test\.ts)` "([^"]+)"/g)].map(([, file = "", name = ""]) => [file, name]);

describe("docs/security.md", () => {
  test("names a test for everything that it says to protect, and says what does not", () => {
    const unproved = claims.filter((claim) => !/`[\w./-]+\.test\.ts` "[^"]+"/.test(claim));
    expect(unproved).toEqual([]);
    expect(claims.length).toBeGreaterThan(20);
    expect(residue).toContain("\n- **");
  });

  test.each(named)("names a test that is there: %s %s", (file = "", name = "") => {
    expect(existsSync(join(repoRoot, file)), file).toBe(true);
    expect(readFileSync(join(repoRoot, file), "utf8")).toContain(`"${name}"`);
  });
});
