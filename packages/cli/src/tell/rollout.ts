import type { ArmReport, CriterionReport, Estimate, LatencyEstimate, RolloutReport } from "@ledge/contract";
import { rolloutText } from "./registry.ts";
import { table } from "./table.ts";

/** A rollout as tables: its arms with 95 % intervals, and for a canary what it is judged by and what it does next. */
export function rolloutReportText({ model, rollout, arms, criteria, next }: RolloutReport): string {
  const started = new Date(rollout.startedAtMs).toISOString();
  const parts = [`${model}: ${rolloutText(rollout)}, since ${started}`, armsText(arms)];
  if (criteria !== undefined && criteria.length > 0) parts.push(criteriaText(criteria));
  if (next !== undefined) parts.push(`next: ${next.kind}. ${next.reason}`);
  return parts.join("\n\n");
}

const armColumns: Readonly<Record<string, (arm: ArmReport) => string>> = {
  version: ({ version }) => version,
  share: ({ share }) => percent(share),
  calls: ({ calls }) => String(calls),
  errors: ({ errors }) => shareText(errors),
  "p50 ms": ({ p50Ms }) => latencyText(p50Ms),
  "p95 ms": ({ p95Ms }) => latencyText(p95Ms),
  slow: ({ slow }) => shareText(slow),
  confidence: ({ confidence }) => meanText(confidence),
  unsure: ({ unsure }) => shareText(unsure),
  agreement: ({ agreement }) => shareText(agreement),
  feedback: ({ feedback }) => meanText(feedback),
  disliked: ({ disliked }) => shareText(disliked),
};

/** Columns about which no arm has anything to tell are left out. */
function armsText(arms: readonly ArmReport[]): string {
  const columns = Object.entries(armColumns).map(([name, read]) => [name, ...arms.map(read)]);
  const telling = columns.filter(([, ...cells]) => cells.some((cell) => cell !== nothing));
  const rows = ["head", ...arms].map((_, row) => telling.map((column) => column[row] ?? nothing));
  return table(rows);
}

function criteriaText(criteria: readonly CriterionReport[]): string {
  const rows = criteria.map(({ name, tolerance, stable, stableBounds, candidate, candidateBounds, verdict }) => [
    name,
    verdict,
    `${stable.bad} of ${stable.of} (${percent(stableBounds.lower)} … ${percent(stableBounds.upper)})`,
    `${candidate.bad} of ${candidate.of} (${percent(candidateBounds.lower)} … ${percent(candidateBounds.upper)})`,
    percent(tolerance),
  ]);
  return table([["criterion", "verdict", "stable", "candidate", "may be worse by"], ...rows]);
}

const nothing = "–";
const short = (value: number) => String(Number(value.toPrecision(3)));
const percent = (share: number) => `${short(share * 100)} %`;

function shareText(estimate: Estimate | undefined): string {
  return estimate === undefined
    ? nothing
    : `${percent(estimate.value)} (${percent(estimate.low)} … ${percent(estimate.high)})`;
}

function meanText(estimate: Estimate | undefined): string {
  return estimate === undefined
    ? nothing
    : `${short(estimate.value)} (${short(estimate.low)} … ${short(estimate.high)})`;
}

function latencyText(estimate: LatencyEstimate | undefined): string {
  if (estimate === undefined) return nothing;
  const high = estimate.high === undefined ? "?" : short(estimate.high);
  return `${short(estimate.value)} (${short(estimate.low)} … ${high})`;
}
