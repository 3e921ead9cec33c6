import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { runCommand } from "../check/command.ts";
import { repoRoot } from "../repo.ts";

export const deployDir = join(repoRoot, "origin", "deploy");
export const schemasDir = join(deployDir, "schemas");
export const renderedDir = join(deployDir, "rendered");

/** What is deployed: each kustomization that is applied as a whole, and the name its rendered copy bears. */
export const kustomizations = {
  eu: "overlays/eu",
  us: "overlays/us",
  kserve: "engines/kserve",
  ray: "engines/ray",
} as const;
export type Kustomization = keyof typeof kustomizations;

/** An object of Kubernetes, as far as every kind has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

export interface Rendered {
  /** {@link sourcesDigest} of what it was rendered from. */
  readonly sources: string;
  readonly objects: readonly Manifest[];
}

/** `overlays/eu/kustomization.yaml` and so on: all that kustomize may read, in a stable order. */
export function sourcePaths(): readonly string[] {
  return ["base", "engines", "overlays", "../cluster"]
    .flatMap((dir) =>
      readdirSync(join(deployDir, dir), { recursive: true, encoding: "utf8" }).map((at) => `${dir}/${at}`),
    )
    .filter((path) => /\.(?:yaml|json|py)$/.test(path) && !/\/test_\w+\.py$/.test(path))
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}

/** Tells a rendered copy that is older than its sources, without kustomize. */
export function sourcesDigest(): string {
  const hash = createHash("sha256");
  for (const path of sourcePaths()) hash.update(`${path}\n`).update(readFileSync(join(deployDir, path)));
  return hash.digest("hex");
}

export function readRendered(name: Kustomization): Rendered {
  return JSON.parse(readFileSync(join(renderedDir, `${name}.json`), "utf8")) as Rendered;
}

/** One object a line: a change shows as the objects that it changes. */
export function textOf({ sources, objects }: Rendered): string {
  const lines = objects.map((object) => JSON.stringify(object)).join(",\n");
  return `{"sources":${JSON.stringify(sources)},"objects":[\n${lines}\n]}\n`;
}

/** How kustomize is called on this machine: by itself or as a part of kubectl. Undefined: it is not there. */
export async function findKustomize(): Promise<readonly string[] | undefined> {
  for (const command of [
    ["kustomize", "build"],
    ["kubectl", "kustomize"],
  ]) {
    const [program = "", ...args] = command;
    const found = await runCommand(program, [...args, "--help"]).catch(() => undefined);
    if (found?.status === 0) return command;
  }
  return undefined;
}

/** What kustomize makes of it. Throws with its words. */
export async function render(command: readonly string[], name: Kustomization): Promise<readonly Manifest[]> {
  const [program = "", ...args] = command;
  const { status, output } = await runCommand(program, [...args, kustomizations[name]], deployDir);
  if (status !== 0) throw new Error(`kustomize on ${kustomizations[name]}:\n${output}`);
  return parseAllDocuments(output).map((document) => document.toJS() as Manifest);
}
