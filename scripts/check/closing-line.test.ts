import { describe, expect, it } from "vitest";
import { closingLine } from "./closing-line.ts";

const report = (more: object) => ({ success: true, numPassedTests: 3, numFailedTests: 0, testResults: [], ...more });

describe("the closing line of a test run", () => {
  it("says how many passed and failed", () => {
    expect(closingLine(report({}))).toEqual({ line: "3 passed, 0 failed", good: true });
    expect(closingLine(report({ success: false, numFailedTests: 2 }))).toEqual({
      line: "3 passed, 2 failed",
      good: false,
    });
  });

  it("says how many were skipped when some were", () => {
    expect(closingLine(report({ numPendingTests: 1 })).line).toBe("3 passed, 0 failed, 1 skipped");
  });

  it("counts a file that did not load as a failure", () => {
    const testResults = [{ status: "failed", assertionResults: [] }];
    expect(closingLine(report({ success: false, testResults }))).toEqual({ line: "3 passed, 1 failed", good: false });
  });

  it("is not good when the runner says it failed, or nothing ran", () => {
    expect(closingLine(report({ success: false })).good).toBe(false);
    expect(closingLine(report({ numPassedTests: 0 })).good).toBe(false);
    expect(closingLine({})).toEqual({ line: "0 passed, 0 failed", good: false });
  });
});
