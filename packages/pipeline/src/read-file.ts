import { fail, ok, type Result } from "@ledge/contract";

/** Reads a JSON file of a package. Fault: `model_not_ready`, naming the file. */
export function readJsonFile(files: ReadonlyMap<string, Uint8Array>, path: string): Result<unknown> {
  const bytes = files.get(path);
  if (bytes === undefined) return fail("model_not_ready", { cause: `the file ${path} is missing` });
  try {
    return ok(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes)));
  } catch {
    return fail("model_not_ready", { cause: `the file ${path} is not JSON` });
  }
}
