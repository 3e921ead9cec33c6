import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PackageManifest } from "@ledge/contract";
import { createServable, filesOfSteps, type Run, type RunLimits, zeroTensors } from "@ledge/pipeline";
import { type ModelPackage, StartError } from "../model-package.ts";
import { GraphEngine } from "./graph-engine.ts";
import type { SessionPool } from "./session-pool.ts";
import type { SessionThread } from "./session-thread.ts";

/**
 * Loads any graph but a language model into native ONNX Runtime and runs it once. The steps around it are the package
 * `@ledge/pipeline`'s, the same as at the edge. External data is read by ONNX Runtime from beside the graph.
 * Throws {@link StartError}, or an Error with ONNX Runtime's words.
 *
 * @param least what a run must be able to hold, where that is more than usual
 */
export async function loadGraph(
  { dir, manifest, digest }: ModelPackage,
  pool: SessionPool,
  least: RunLimits = usual,
): Promise<GraphEngine> {
  const name = `${manifest.name}@${manifest.version}`;
  const lease = await pool.lease(graphDigest(manifest), join(dir, manifest.file.path), name);
  try {
    const { session } = lease;
    checkNames(dir, manifest, session);
    const run: Run = (feeds, wanted) => session.run(feeds, wanted);
    const limits = {
      rowsMax: Math.max(least.rowsMax, usual.rowsMax),
      cellsMax: Math.max(least.cellsMax, usual.cellsMax),
    };
    const servable = createServable({ manifest, files: await readFiles(dir, manifest), run, limits });
    if (!servable.ok) throw new StartError(`${dir}: ${servable.fault.cause}; take a package this version knows.`);
    const engine = new GraphEngine(manifest, digest, { lease, servable: servable.value });
    await warm(engine, manifest, run, dir);
    return engine;
  } catch (error) {
    await lease.giveBack();
    throw error;
  }
}

const usual: RunLimits = { rowsMax: 64, cellsMax: 16_384 };

/** What tells graphs apart: the graph and every file that may hold its weights. Files of the steps around it don't. */
function graphDigest(manifest: PackageManifest): string {
  const ofSteps = new Set(filesOfSteps(manifest));
  const weights = (manifest.files ?? []).filter(({ path }) => !ofSteps.has(path));
  const parts = weights.map(({ path, sha256 }) => `${path}:${sha256}`).sort();
  return createHash("sha256")
    .update([manifest.file.path, manifest.file.sha256, ...parts].join("\n"))
    .digest("hex");
}

type Names = Pick<SessionThread, "inputNames" | "outputNames">;

/** A manifest that names other tensors than its graph would fail at every call. */
function checkNames(dir: string, { inputs, outputs }: PackageManifest, session: Names): void {
  const named = (specs: PackageManifest["inputs"]) => specs.map(({ name }) => name);
  const unfed = session.inputNames.filter((name) => !named(inputs).includes(name));
  const unknown = [...named(inputs), ...named(outputs)].filter(
    (name) => !session.inputNames.includes(name) && !session.outputNames.includes(name),
  );
  const [slip] = [...unfed, ...unknown];
  if (slip === undefined) return;
  throw new StartError(
    `${join(dir, "model.json")} and its graph differ about the tensor ${slip}: make the package anew.`,
  );
}

/** The files that steps read. One that is missing is left out: the step says it better. */
async function readFiles(dir: string, manifest: PackageManifest): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const path of filesOfSteps(manifest)) {
    const bytes = await readFile(join(dir, path)).catch(() => undefined);
    if (bytes !== undefined) files.set(path, bytes);
  }
  return files;
}

/**
 * A text model gets a text, any other zeros in the shapes of its manifest. Where the manifest leaves shapes open zeros may not
 * suit the graph, so their failure is no fault.
 */
async function warm(engine: GraphEngine, manifest: PackageManifest, run: Run, dir: string): Promise<void> {
  const row = engine.servable.takes === "text" ? engine.servable.prepare("warm up") : undefined;
  const zeros = zeroTensors(manifest.inputs, 1, 16);
  if (row !== undefined && !row.ok) throw new StartError(`${dir} prepares no text: ${JSON.stringify(row.fault)}.`);
  if (row === undefined && zeros === undefined) return;
  const warmed = await (row === undefined
    ? run(
        zeros ?? {},
        manifest.outputs.map(({ name }) => name),
      )
    : engine.servable.run([row.value]));
  const open = row === undefined && manifest.inputs.some(({ shape }) => shape.slice(1).includes(-1));
  if (warmed.ok || open) return;
  throw new StartError(`${dir} does not run: ${JSON.stringify(warmed.fault)}; make it anew with its recipe.`);
}
