import type { Gate } from "./gate.ts";

export interface Outcome {
  readonly name: string;
  readonly findings: readonly string[];
  readonly warnings: readonly string[];
  readonly elapsedMs: number;
}

/** Runs gates, `concurrency` at a time and in order; one that fails stops no other. Says a line as each ends. */
export async function runGates(
  gates: readonly Gate[],
  concurrency: number,
  say: (line: string) => void,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<Gate, Outcome>();
  const waiting = [...gates];
  const worker = async () => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) {
      const outcome = await outcomeOf(gate);
      outcomes.set(gate, outcome);
      say(lineOf(outcome));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return gates.flatMap((gate) => outcomes.get(gate) ?? []);
}

async function outcomeOf(gate: Gate): Promise<Outcome> {
  const startedMs = performance.now();
  const warnings: string[] = [];
  let findings: readonly string[];
  try {
    findings = await gate.run((line) => warnings.push(line));
  } catch (error) {
    findings = [error instanceof Error ? error.message : String(error)];
  }
  return { name: gate.name, findings, warnings, elapsedMs: performance.now() - startedMs };
}

function lineOf({ name, findings, elapsedMs }: Outcome): string {
  const verdict = findings.length === 0 ? "ok  " : "FAIL";
  return `${verdict}  ${name.padEnd(16)} ${(elapsedMs / 1000).toFixed(1).padStart(6)} s`;
}

/** What to mend, gate by gate, after everything has run. */
export function report(outcomes: readonly Outcome[]): string {
  const parts: string[] = [];
  for (const { name, warnings } of outcomes) for (const line of warnings) parts.push(`warning (${name}): ${line}\n`);
  const failed = outcomes.filter(({ findings }) => findings.length > 0);
  for (const { name, findings } of failed) parts.push(`\n${name}\n${findings.map(indented).join("\n")}\n`);
  const count = failed.length === 0 ? "every gate passed" : `${failed.length} of ${outcomes.length} gates failed`;
  return `${parts.join("")}\n${count}\n`;
}

function indented(finding: string): string {
  return finding.trimEnd().replaceAll(/^/gm, "  ");
}
