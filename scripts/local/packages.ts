import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ModelManifest,
  type ModelsAnswer,
  modelManifest,
  packageDocument,
  packageFiles,
  parse,
  type RegisterAnswer,
} from "@ledge/contract";

/** The operator's way to a gateway. */
export interface Desk {
  readonly edge: string;
  readonly adminKey: string;
}

/**
 * Registers every package folder `models/<name>/<version>/` that the edge does not have yet, with one line each. A package that
 * cannot be registered is told and left out: the others, and what is running, need not stop for it.
 */
export async function registerPackages(desk: Desk, modelsDir: string, say: (line: string) => void): Promise<void> {
  const known = await knownDigests(desk);
  for (const folder of packageFolders(modelsDir)) {
    try {
      const manifest = readManifest(folder);
      if (known.has(sha256(packageDocument(manifest)))) continue;
      const { model, version } = await registerPackage(desk, manifest, (path) => readFileSync(join(folder, path)));
      say(`${model}@${version} is registered.`);
    } catch (error) {
      say(`${folder} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Uploads what the edge lacks of a package and registers it. Throws one sentence when it is refused. */
export async function registerPackage(
  desk: Desk,
  manifest: ModelManifest,
  read: (path: string) => Uint8Array<ArrayBuffer>,
): Promise<RegisterAnswer> {
  for (const { path, sha256: digest } of packageFiles(manifest)) {
    const blob = `/admin/v1/blobs/${digest}`;
    const there = await operate(desk, "HEAD", blob);
    if (there.status !== 200) await accepted(await operate(desk, "PUT", blob, read(path)), path);
  }
  const answer = await operate(
    desk,
    "POST",
    `/admin/v1/models/${manifest.name}/versions`,
    JSON.stringify({ manifest }),
  );
  return (await accepted(answer, "the package").then((response) => response.json())) as RegisterAnswer;
}

/** A call of the operator's API. */
export function operate(
  { edge, adminKey }: Desk,
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const headers = { Authorization: `Bearer ${adminKey}`, ...(typeof body === "string" ? json : {}) };
  return fetch(edge + path, { method, headers, ...(body === undefined ? {} : { body }) });
}

const json = { "Content-Type": "application/json" };

async function accepted(response: Response, what: string): Promise<Response> {
  if (response.ok) return response;
  const { title, detail, issues } = (await response.json()) as { title: string; detail?: string; issues?: object[] };
  const more = detail ?? (issues === undefined ? "" : JSON.stringify(issues));
  throw new Error(`${what} was refused with ${response.status}: ${title} ${more}`.trim());
}

async function knownDigests(desk: Desk): Promise<ReadonlySet<string>> {
  const answer = await accepted(await operate(desk, "GET", "/admin/v1/models"), "the list of models");
  const { models } = (await answer.json()) as ModelsAnswer;
  return new Set(models.flatMap(({ versions }) => versions.map(({ digest }) => digest)));
}

/** By name, then number: the registry numbers versions as they come. */
function packageFolders(modelsDir: string): readonly string[] {
  return folders(modelsDir)
    .toSorted()
    .flatMap((name) =>
      folders(join(modelsDir, name))
        .filter((version) => existsSync(join(modelsDir, name, version, "model.json")))
        .toSorted((a, b) => Number(a) - Number(b))
        .map((version) => join(modelsDir, name, version)),
    );
}

function folders(dir: string): readonly string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function readManifest(folder: string): ModelManifest {
  const manifest = parse(modelManifest, JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
  if (!manifest.ok) throw new Error(`model.json is broken: ${JSON.stringify(manifest.fault.issues)}`);
  return manifest.value;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
