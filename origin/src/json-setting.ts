import { readFileSync } from "node:fs";
import { parse } from "@ledge/contract";
import type * as z from "zod/mini";

/** A setting that is JSON, or the path of a file that holds it. */
interface JsonSetting<S extends z.ZodMiniType> {
  readonly name: string;
  /** What its JSON begins with: anything else is a path. */
  readonly opens: "[" | "{";
  /** What to set it to, as a sentence goes on after "set it to". */
  readonly wanted: string;
  readonly schema: S;
}

/** `undefined` when it is not set or wrong; every fault goes into `faults`, a sentence that says what to type. */
export function readJsonSetting<S extends z.ZodMiniType>(
  setting: JsonSetting<S>,
  given: string | undefined,
  faults: string[],
): z.infer<S> | undefined {
  const { name, wanted, schema } = setting;
  const text = textOf(setting, given, faults);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    faults.push(`${name} is not JSON: set it to ${wanted}.`);
    return undefined;
  }
  const checked = parse(schema, value);
  if (checked.ok) return checked.value;
  for (const { path, message } of checked.fault.issues ?? []) {
    faults.push(`${name} at ${path === "(body)" ? "its top" : path}: ${message}; correct it or leave it unset.`);
  }
  return undefined;
}

function textOf(
  { name, opens }: Pick<JsonSetting<z.ZodMiniType>, "name" | "opens">,
  given: string | undefined,
  faults: string[],
): string | undefined {
  if (!given || given.trimStart().startsWith(opens)) return given || undefined;
  try {
    return readFileSync(given, "utf8");
  } catch {
    faults.push(`${name} names the file ${given.slice(0, 200)}, which cannot be read: correct the path.`);
    return undefined;
  }
}
