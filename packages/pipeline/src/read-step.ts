import { fail, ok, parse, type Result } from "@ledge/contract";
import type * as z from "zod/mini";

/**
 * Checks a step of `model.json` against its schema.
 * Fault: `model_not_ready`, whose cause holds every issue; `where` is the step's place in the manifest.
 */
export function readStep<S extends z.ZodMiniType>(where: string, schema: S, step: unknown): Result<z.infer<S>> {
  const read = parse(schema, step);
  if (read.ok) return ok(read.value);
  const issues = (read.fault.issues ?? []).map(({ path, message }) => `${where}.${path}: ${message}`);
  return fail("model_not_ready", { cause: issues.join("; ") });
}
