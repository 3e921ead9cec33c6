import type { Verdict } from "./judge.ts";

/** What one run says, as `--json` writes it. */
export interface Report {
  readonly target: string;
  readonly profile: string;
  readonly verdicts: readonly Written[];
}

export interface Written {
  readonly id: string;
  readonly says: string;
  readonly outcome: Verdict["outcome"];
  readonly note?: string;
}

export function reportOf(target: string, profile: string, verdicts: readonly Verdict[]): Report {
  const written = verdicts.map(({ rule, outcome, note }) => {
    const { id, says } = rule;
    return { id, says, outcome, ...(note === undefined ? {} : { note }) };
  });
  return { target, profile, verdicts: written };
}

/** One verdict as a line, with what was seen below it. */
export function verdictLine({ rule, outcome, note }: Verdict): string {
  const line = `${outcome.padEnd(12)} ${rule.id.padEnd(24)} ${rule.says}`;
  return note === undefined ? line : `${line}\n${" ".repeat(13)}${note}`;
}

export function summaryLine(verdicts: readonly Pick<Verdict, "outcome">[]): string {
  const count = (outcome: Verdict["outcome"]) => verdicts.filter((one) => one.outcome === outcome).length;
  return `${count("pass")} pass, ${count("fail")} fail, ${count("not offered")} not offered, of ${verdicts.length} rules`;
}

const short: Readonly<Record<Verdict["outcome"], string>> = { pass: "pass", fail: "**fail**", "not offered": "–" };

/** Several runs side by side, as a Markdown table. */
export function markdownTable(reports: readonly Report[]): string {
  const rows = (reports[0]?.verdicts ?? []).map(({ id, says }) => {
    const cells = reports.map(({ verdicts }) => verdicts.find((one) => one.id === id));
    return `| ${says} | ${cells.map((cell) => (cell === undefined ? "" : short[cell.outcome])).join(" | ")} |`;
  });
  const heads = reports.map(({ target }) => target);
  const sums = reports.map(({ verdicts }) => verdicts.filter(({ outcome }) => outcome === "pass").length);
  return [
    `| rule | ${heads.join(" | ")} |`,
    `|---|${heads.map(() => "---|").join("")}`,
    ...rows,
    `| rules that pass, of ${rows.length} | ${sums.join(" | ")} |`,
  ].join("\n");
}
