import type { ChainedRow, RegisteredModel, RegisteredVersion, Rollout, VersionPolicy } from "@ledge/contract";
import { bytesText, table } from "./table.ts";

export function modelsText(models: readonly RegisteredModel[]): string {
  if (models.length === 0) return "No model is registered: 'ledge model add model.onnx' brings one.";
  const rows = models.map((model) => [
    model.name,
    taskOf(model),
    model.stable,
    model.versions.map(({ version, state }) => (state === "ready" ? version : `${version} (${state})`)).join(", "),
    Object.entries(model.aliases)
      .map(([alias, version]) => `${alias}=${version}`)
      .join(", "),
    rolloutText(model.rollout),
  ]);
  return table([["model", "task", "stable", "versions", "aliases", "rollout"], ...rows]);
}

function taskOf({ versions, stable }: RegisteredModel): string {
  return versions.find(({ version }) => version === stable)?.manifest.task ?? "";
}

export function rolloutText(rollout: Rollout | undefined): string {
  if (rollout === undefined) return "–";
  const arms = rollout.arms.map(({ version, weight }) => `${version}: ${weight / 100} %`).join(", ");
  return `${rollout.kind} (${arms})`;
}

export function modelText(model: RegisteredModel): string {
  const rows = model.versions.map((one) => [
    one.version,
    one.state,
    one.manifest.tiers.join(", "),
    one.manifest.file === undefined ? "served" : bytesText(one.manifest.file.bytes),
    one.manifest.measured === undefined ? "–" : bytesText(one.manifest.measured.heapBytes),
    new Date(one.createdAtMs).toISOString(),
    one.digest.slice(0, 12),
  ]);
  const aliases = Object.entries(model.aliases).map(([alias, version]) => `alias ${alias} is version ${version}`);
  return [
    table([["version", "state", "tiers", "graph", "heap", "registered", "digest"], ...rows]),
    "",
    `${model.name} is answered by version ${model.stable}; callable are ${policyText(model.policy)}.`,
    ...aliases,
    `rollout ${rolloutText(model.rollout)}`,
  ].join("\n");
}

export function policyText(policy: VersionPolicy): string {
  if ("all" in policy) return "all versions";
  if ("specific" in policy) return `versions ${policy.specific.versions.join(", ")}`;
  return `the latest ${policy.latest.num_versions}`;
}

export function versionText({ version, state, digest, source, manifest }: RegisteredVersion): string {
  return `version ${version}, ${state}, from the ${source}, digest ${digest}\n${JSON.stringify(manifest, null, 2)}`;
}

export function auditText(rows: readonly ChainedRow[]): string {
  const shown = rows.map(({ log, number, atMs, who, kind, model, scope, from, to, reason }) => [
    log,
    String(number),
    new Date(atMs).toISOString(),
    who,
    kind,
    model ?? scope ?? "–",
    `${short(from)} → ${short(to)}`,
    reason ?? "",
  ]);
  return table([["log", "number", "when", "who", "what", "of", "from → to", "why"], ...shown]);
}

export function short(value: unknown): string {
  const text = value === null || value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
