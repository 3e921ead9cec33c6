import { readFileSync, writeFileSync } from "node:fs";
import { type Asking, judge, type RuleOf, type Verdict } from "./judge.ts";
import { markdownTable, type Report, reportOf, summaryLine, verdictLine } from "./report.ts";

/** What every suite's command does with its rules. */

export interface RunOptions {
  /** What the report calls the target. */
  readonly title: string;
  /** These rules only; none: all. */
  readonly only: readonly string[];
  /** Where the verdicts are written as well. */
  readonly json?: string;
}

/** Asks the rules one after another and prints what was seen. Resolves with the exit code: 1 when one fails. */
export async function runRules<Trial extends Asking, Feature extends string>(
  rules: readonly RuleOf<Trial, Feature>[],
  trial: Trial,
  profile: string,
  { title, only, json }: RunOptions,
): Promise<number> {
  const verdicts: Verdict[] = [];
  for (const rule of rules.filter(({ id }) => only.length === 0 || only.includes(id))) {
    const verdict = await judge(rule, trial);
    console.log(verdictLine(verdict));
    verdicts.push(verdict);
  }
  console.log(`\n${title}: ${summaryLine(verdicts)}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(reportOf(title, profile, verdicts), null, 2)}\n`);
  return verdicts.some(({ outcome }) => outcome === "fail") ? 1 : 0;
}

/** The rules, the feature that each belongs to, what users suffer without it. */
export function printRules(rules: readonly Pick<RuleOf<never, string>, "id" | "feature" | "pain">[]): void {
  console.log(rules.map(({ id, feature, pain }) => `${id.padEnd(24)} ${feature.padEnd(11)} ${pain}`).join("\n"));
}

/** Earlier runs side by side. */
export function printTable(files: readonly string[]): void {
  console.log(markdownTable(files.map((file) => JSON.parse(readFileSync(file, "utf8")) as Report)));
}
