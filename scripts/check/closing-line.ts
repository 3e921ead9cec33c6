import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What vitest's JSON reporter writes, as far as it is read here. */
export interface TestReport {
  readonly success?: boolean;
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly numPendingTests?: number;
  readonly numTodoTests?: number;
  readonly testResults?: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/**
 * `N passed, N failed` of a report: the one closing line that every reader of logs knows. A file that did not load counts
 * as one failure. `good` when tests ran and none failed.
 *
 *     node scripts/check/closing-line.ts dist/test-report.json
 */
export function closingLine(report: TestReport): { readonly line: string; readonly good: boolean } {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0, testResults = [] } = report;
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  const failed = numFailedTests + broken.length;
  const skipped = numPendingTests + numTodoTests;
  const line = `${numPassedTests} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
  return { line, good: report.success === true && failed === 0 && numPassedTests > 0 };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { line, good } = closingLine(readReport(process.argv[2] ?? ""));
  process.stdout.write(`${line}\n`);
  process.exitCode = good ? 0 : 1;
}

/** No report means that the tests never ran: a gate failed first, or the runner did. */
function readReport(path: string): TestReport {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { success: false, numFailedTests: 1 };
  }
}
