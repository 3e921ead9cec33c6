import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  type ModelManifest,
  modelManifest,
  type PackageManifest,
  packageDocument,
  packageFiles,
  parse,
} from "@ledge/contract";

/** A model package on disk whose files are what its manifest says. */
export interface ModelPackage {
  readonly dir: string;
  readonly manifest: PackageManifest;
  /** SHA-256 of the package's document, hex: the same wherever the package lies and whatever number it has there. */
  readonly digest: string;
}

/** The origin cannot start, for a reason an operator can mend: the message is one sentence that says how. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * Reads the packages under `modelsDir` that name the tier `origin`, all or those in `names`, and checks every file's
 * SHA-256. Throws {@link StartError}.
 */
export async function readPackages(
  modelsDir: string,
  names: readonly string[] | undefined,
): Promise<readonly ModelPackage[]> {
  if (names?.length === 0) return [];
  const wanted = ({ name, tiers }: PackageManifest) => names?.includes(name) ?? tiers.includes("origin");
  const found = await findPackages(modelsDir, wanted);
  for (const name of names ?? []) {
    if (!found.some((each) => each.manifest.name === name)) {
      throw new StartError(`MODELS names '${name}', which is not in ${modelsDir}: add the package or drop the name.`);
    }
  }
  for (const each of found) await checkFiles(each);
  return found;
}

/** As {@link readPackages}, every version of one model; none where there is none. */
export async function readVersions(modelsDir: string, model: string): Promise<readonly ModelPackage[]> {
  const found = await findPackages(modelsDir, ({ name }) => name === model);
  for (const each of found) await checkFiles(each);
  return found;
}

async function findPackages(
  modelsDir: string,
  wanted: (manifest: PackageManifest) => boolean,
): Promise<readonly ModelPackage[]> {
  const found: ModelPackage[] = [];
  for (const dir of await packageDirs(modelsDir)) {
    const manifest = await readManifest(dir);
    // What an engine serves is named in ENGINES; its manifest is for the edge.
    if (isPackage(manifest) && wanted(manifest)) found.push({ dir, manifest, digest: digestOf(manifest) });
  }
  return found;
}

/** A package whose manifest came from elsewhere than its folder. Throws {@link StartError} when a file is not what it says. */
export async function openPackage(dir: string, manifest: PackageManifest): Promise<ModelPackage> {
  const found = { dir, manifest, digest: digestOf(manifest) };
  await checkFiles(found);
  return found;
}

async function packageDirs(modelsDir: string): Promise<string[]> {
  const dirs: string[] = [];
  for (const name of await foldersIn(modelsDir)) {
    for (const version of await foldersIn(join(modelsDir, name))) {
      const dir = join(modelsDir, name, version);
      if (await isFile(join(dir, "model.json"))) dirs.push(dir);
    }
  }
  return dirs;
}

async function foldersIn(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch {
    throw new StartError(
      `The folder ${dir} cannot be read: set MODELS_DIR to the folder that holds the model packages.`,
    );
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function isPackage(manifest: ModelManifest): manifest is PackageManifest {
  return manifest.file !== undefined;
}

async function readManifest(dir: string): Promise<ModelManifest> {
  const path = join(dir, "model.json");
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw new StartError(`${path} is not JSON: write the package anew with its recipe.`);
  }
  const checked = parse(modelManifest, value);
  if (checked.ok) return checked.value;
  const faults = (checked.fault.issues ?? []).map((issue) => `${issue.path}: ${issue.message}`).join("; ");
  throw new StartError(`${path} is no model manifest (${faults}): write the package anew with its recipe.`);
}

function digestOf(manifest: PackageManifest): string {
  return createHash("sha256").update(packageDocument(manifest)).digest("hex");
}

async function checkFiles({ dir, manifest }: ModelPackage): Promise<void> {
  for (const file of packageFiles(manifest)) {
    const path = resolve(dir, file.path);
    if (relative(dir, path).startsWith("..")) {
      throw new StartError(
        `${join(dir, "model.json")} names ${file.path}, which lies outside its package: correct it.`,
      );
    }
    if (!(await isFile(path))) {
      throw new StartError(
        `The model file ${path} is missing: fetch it, make it with the package's recipe, or leave '${manifest.name}' out of MODELS.`,
      );
    }
    if ((await sha256(path)) !== file.sha256) {
      throw new StartError(
        `The model file ${path} is not the one its manifest describes: its SHA-256 differs; fetch it again.`,
      );
    }
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
