import type { Call } from "./callers.ts";
import { type Figures, ratioOf, sumOf, type Tally } from "./figures.ts";

/** The most requests to origins for each call that reached one. */
export const amplificationMax = 1.1;

const head = [
  "fault",
  "calls",
  "right at the first try",
  "told, by code",
  "wrong, duplicated, silent",
  "p50, p99 ms before",
  "during",
  "calls succeed again after",
  "well again after its end",
  "requests a call",
];

/** The table of docs/resilience.md, and what holds over all of it. */
export function reportText(all: readonly Figures[]): string {
  const lines = [head, head.map((_, at) => (at === 0 ? "---" : "---:")), ...all.map(row)];
  return [...lines.map((line) => `| ${line.join(" | ")} |`), "", ...sumsOf(all)].join("\n");
}

function row({ name, calm, during, after, failoverMs, recoveryMs, sent }: Figures): readonly string[] {
  return [
    name,
    String(during.calls),
    percent(during.right, during.calls),
    toldText(during),
    (["wrong", "duplicated", "silent"] as const).map((what) => calm[what] + during[what] + after[what]).join(", "),
    `${ms(calm.p50Ms)}, ${ms(calm.p99Ms)}`,
    `${ms(during.p50Ms)}, ${ms(during.p99Ms)}`,
    seconds(failoverMs, "not while it lasts"),
    `${seconds(recoveryMs, "NOT")}${after.calls === after.right ? "" : ` (${after.calls - after.right} told)`}`,
    ratioOf(sent).toFixed(3),
  ];
}

function sumsOf(all: readonly Figures[]): readonly string[] {
  const tallies = all.flatMap(({ calm, during, after }) => [calm, during, after]);
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const sent = sumOf(all.map((one) => one.sent));
  return [
    `Calls: ${sum(({ calls }) => calls)}, of these wrong: ${sum(({ wrong }) => wrong)}, duplicated: ${sum(({ duplicated }) => duplicated)}, silently cut: ${sum(({ silent }) => silent)}.`,
    `Requests to origins for each call that reached one: ${ratioOf(sent).toFixed(3)}, and ${(sent.hedges / Math.max(1, sent.calls)).toFixed(3)} hedges.`,
  ];
}

/** What falls short of the aims, a sentence each. */
export function slipsOf(all: readonly Figures[]): readonly string[] {
  const slips: string[] = [];
  for (const { name, calm, during, after, recoveryMs } of all) {
    if (Number.isNaN(recoveryMs)) slips.push(`${name}: not everything was well again.`);
    for (const verdict of ["wrong", "duplicated", "silent"] as const satisfies readonly Call["verdict"][]) {
      const count = calm[verdict] + during[verdict] + after[verdict];
      if (count > 0) slips.push(`${name}: ${count} answers were ${verdict}.`);
    }
  }
  const ratio = ratioOf(sumOf(all.map(({ sent }) => sent)));
  if (ratio > amplificationMax) slips.push(`Origins were sent ${ratio.toFixed(3)} requests a call.`);
  return slips;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`;
}

function toldText({ told }: Tally): string {
  const codes = Object.entries(told).map(([code, count]) => `${count} \`${code}\``);
  return codes.join(", ") || "–";
}

function ms(value: number): string {
  return Number.isNaN(value) ? "–" : value.toFixed(0);
}

function seconds(value: number, never: string): string {
  return Number.isNaN(value) ? never : `${(value / 1_000).toFixed(1)} s`;
}
