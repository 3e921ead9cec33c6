import type { Machine } from "./machine.ts";
import type { Aim, Fact, Outcome, Row } from "./outcome.ts";

/** The bench's result as plain text: the machine, the figures, the aims. */
export function reportText(machine: Machine, outcome: Omit<Outcome, "rounds">): string {
  const sections = [machineLines(machine), rowLines(outcome.rows), factLines(outcome.facts), aimLines(outcome.aims)];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function machineLines({ cpu, cores, memoryGiB, system, node, workerd, loadBefore }: Machine): string[] {
  return [
    `Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; Node ${node}, workerd ${workerd}; load before ${loadBefore}`,
  ];
}

function rowLines(rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map((row) => [
    row.name,
    row.requestsPerSecond.toFixed(0),
    row.latencyMsMean.toFixed(2),
    row.latencyMsP50.toFixed(2),
    row.latencyMsP99.toFixed(2),
    Number.isNaN(row.cpuUs) ? "–" : row.cpuUs.toFixed(0),
  ]);
  return table(["medians over the rounds", "requests/s", "mean ms", "p50 ms", "p99 ms", "CPU µs/request"], lines);
}

function factLines(facts: readonly Fact[]): string[] {
  const width = Math.max(0, ...facts.map(({ name }) => name.length));
  return facts.map(({ name, value }) => `${name.padEnd(width)}  ${value}`);
}

function aimLines(aims: readonly Aim[]): string[] {
  if (aims.length === 0) return [];
  const lines = aims.map(({ name, aim, reached, met }) => [
    name,
    aim,
    reached,
    met === undefined ? "" : met ? "met" : "missed",
  ]);
  return table(["ratio: median of the rounds (least to most)", "aim", "reached", ""], lines, ["left", "left", "left"]);
}

/** Columns as wide as their widest cell; numbers to the right. */
function table(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  sides: readonly string[] = [],
): string[] {
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? "").length)));
  const print = (line: readonly string[]) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || sides[column] === "left" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("   ")
      .trimEnd();
  return [print(head), widths.map((width) => "─".repeat(width)).join("───"), ...lines.map(print)];
}
