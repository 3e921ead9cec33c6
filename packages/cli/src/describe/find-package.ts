import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Refusal } from "../refusal.ts";

/** What lies at the path that the user named. */
export interface FoundPackage {
  /** Where its files lie. */
  readonly folder: string;
  /** The graph, from the folder. */
  readonly graph: string;
  /** Its `model.json`, not yet checked; absent when the folder has none, or a graph alone was named. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Whether files beside the graph belong to it: true for a folder. */
  readonly whole: boolean;
}

/**
 * Finds the graph at a path: the file itself, or the folder's `model.json`, or its only `.onnx` file (in `onnx/`, too).
 *
 * @throws Refusal when there is none, or more than one.
 */
export async function findPackage(path: string): Promise<FoundPackage> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Refusal(`There is nothing at ${path}.`);
  if (!found.isDirectory()) return { folder: dirname(path), graph: basename(path), whole: false };
  const manifest = await readManifest(path);
  const named = manifest?.file;
  if (typeof named === "object" && named !== null && "path" in named && typeof named.path === "string") {
    return { folder: path, graph: named.path, whole: true, ...(manifest === undefined ? {} : { manifest }) };
  }
  return { folder: path, graph: await onlyGraph(path), whole: true, ...(manifest === undefined ? {} : { manifest }) };
}

async function readManifest(folder: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readFile(join(folder, "model.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const value = jsonOf(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Refusal(`${join(folder, "model.json")} is not a JSON object: mend it, or delete it to have it made anew.`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function onlyGraph(folder: string): Promise<string> {
  for (const place of ["", "onnx"]) {
    const names = await readdir(join(folder, place)).catch(() => []);
    const graphs = names.filter((name) => name.endsWith(".onnx"));
    const only = graphs.length === 1 ? graphs[0] : graphs.find((name) => name === "model.onnx");
    if (only !== undefined) return place === "" ? only : `${place}/${only}`;
    if (graphs.length > 1) {
      throw new Refusal(`${folder} holds ${graphs.length} graphs (${graphs.join(", ")}): name the file itself.`);
    }
  }
  throw new Refusal(`${folder} holds no .onnx file.`);
}
