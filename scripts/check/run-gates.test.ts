import { describe, expect, it } from "vitest";
import { report, runGates } from "./run-gates.ts";

const gate = (name: string, findings: readonly string[]) => ({ name, run: async () => findings });

describe("running the gates", () => {
  it("runs every gate although one before it failed", async () => {
    const outcomes = await runGates([gate("first", ["broken"]), gate("second", [])], 1, () => undefined);
    expect(outcomes.map(({ name, findings }) => [name, findings])).toEqual([
      ["first", ["broken"]],
      ["second", []],
    ]);
  });

  it("fails a gate that throws, with what it threw", async () => {
    const throwing = { name: "blind", run: () => Promise.reject(new Error("cannot look")) };
    const [outcome] = await runGates([throwing], 2, () => undefined);
    expect(outcome?.findings).toEqual(["cannot look"]);
  });

  it("reports in the gates' order whatever order they end in", async () => {
    let finish: (findings: readonly string[]) => void = () => undefined;
    const slow = { name: "slow", run: () => new Promise<readonly string[]>((resolve) => (finish = resolve)) };
    const ended: string[] = [];
    const outcomes = await runGates([slow, gate("quick", [])], 2, (line) => {
      ended.push(line);
      finish([]);
    });
    expect(ended[0]).toContain("quick");
    expect(outcomes.map(({ name }) => name)).toEqual(["slow", "quick"]);
  });

  it("says a line for each gate, and all findings at the end", async () => {
    const lines: string[] = [];
    const outcomes = await runGates([gate("layout", ["a.ts leaves", "b.ts leaves"])], 1, (line) => lines.push(line));
    expect(lines).toHaveLength(1);
    expect(report(outcomes)).toContain("layout\n  a.ts leaves\n  b.ts leaves\n\n1 of 1 gates failed\n");
  });

  it("lets a warning pass", async () => {
    const warning = {
      name: "size",
      run: async (warn: (line: string) => void) => {
        warn("long file");
        return [];
      },
    };
    const text = report(await runGates([warning], 1, () => undefined));
    expect(text).toContain("warning (size): long file");
    expect(text).toContain("every gate passed");
  });
});
