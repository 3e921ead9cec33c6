import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { Refusal } from "../refusal.ts";
import { bytesOf } from "./check-tensors.ts";
import type { OnnxTensor } from "./onnx.ts";

/** A file beside the graph that holds some of its weights. */
export interface ExternalFile {
  /** As the graph names it: the path in the package, too. */
  readonly location: string;
  /** Where it lies on this machine. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * Finds the files that a graph's tensors name, each once, and holds every tensor against what its file has.
 *
 * @param folder where the graph lies; nothing outside it is touched, by `..`, by an absolute path or by a link.
 * @throws Refusal naming the location.
 */
export async function findExternalData(
  tensors: Iterable<OnnxTensor>,
  folder: string,
): Promise<readonly ExternalFile[]> {
  const files = new Map<string, ExternalFile>();
  for (const tensor of tensors) {
    if (tensor.external === undefined) continue;
    const location = tensor.external.get("location") ?? "";
    const file = files.get(location) ?? (await fileAt(location, folder));
    files.set(location, file);
    checkRange(tensor, tensor.external, file);
  }
  return [...files.values()];
}

async function fileAt(location: string, folder: string): Promise<ExternalFile> {
  const named = `External data '${location.slice(0, 120)}'`;
  if (location === "" || !isInside(location)) {
    throw new Refusal(`${named} lies outside the model's folder: weights are taken from beside the graph only.`);
  }
  const path = join(folder, location);
  const [real, base] = await Promise.all([realpath(path).catch(() => undefined), realpath(folder)]);
  if (real === undefined) {
    throw new Refusal(`${named} is missing: put it beside the graph, or save the model with its weights inside.`);
  }
  const way = relative(base, real);
  if (way.startsWith("..") || isAbsolute(way)) {
    throw new Refusal(`${named} is a link out of the model's folder: put the file itself there.`);
  }
  const found = await stat(real);
  if (!found.isFile()) throw new Refusal(`${named} is no file.`);
  return { location, path: real, bytes: found.size };
}

/** As `model.json` allows paths: no way up or out, no drive, no home, forward slashes. */
function isInside(location: string): boolean {
  return !/^[/~]|[\\:\0]/.test(location) && !location.split("/").some((part) => /^\.{0,2}$/.test(part));
}

function checkRange(tensor: OnnxTensor, external: ReadonlyMap<string, string>, file: ExternalFile): void {
  const offset = numberOf(external.get("offset") ?? "0");
  const wanted = bytesOf(tensor);
  const length = numberOf(external.get("length") ?? String(wanted));
  if (length === wanted && offset + length <= file.bytes) return;
  throw new Refusal(
    `The tensor '${tensor.name.slice(0, 80)}' needs ${wanted} bytes of '${file.location}' from byte ${offset}, which has ${file.bytes}: the file is cut off or another model's.`,
  );
}

/** NaN for anything but a plain whole number, which then fits nothing. */
function numberOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}
