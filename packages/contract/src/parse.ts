import { en } from "zod/locales";
import * as z from "zod/mini";
import { fail, type Issue, ok, type Result } from "./result.ts";

/** zod/mini brings no messages of its own; without this every issue reads "Invalid input". */
z.config(en());

/** At most this many issues are reported for one body: a hostile body must not buy a huge answer. */
const issuesMax = 20;

/** Checks a value against a schema; a fault lists every issue at once, up to {@link issuesMax}. */
export function parse<S extends z.ZodMiniType>(schema: S, value: unknown): Result<z.infer<S>> {
  const checked = z.safeParse(schema, value);
  if (checked.success) return ok(checked.data);
  return fail("invalid_request", { issues: checked.error.issues.slice(0, issuesMax).map(toIssue) });
}

function toIssue(issue: z.core.$ZodIssue): Issue {
  return { path: pathText(issue.path).slice(0, 200), message: issue.message.slice(0, 300) };
}

function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `${text === "" ? "" : "."}${String(step)}`;
  return text === "" ? "(body)" : text;
}
