import { fail, headers, ok, type Result } from "@ledge/contract";

/** Words of `Ledge-Priority`, the most urgent first. */
const priorities = ["high", "normal", "low"];
const normal = 1;

/**
 * How urgent a request is among those that wait for the same engine: 0 (`high`), 1 (`normal`, also without the header) or 2 (`low`).
 * What nobody signed may stand back and not push ahead: there `high` counts as `normal`. Fails with `invalid_header`.
 */
export function priorityOf(header: string | null, isSigned: boolean): Result<number> {
  if (header === null) return ok(normal);
  const priority = priorities.indexOf(header);
  if (priority < 0) {
    const message = `Expected one of ${priorities.join(", ")}.`;
    return fail("invalid_header", { issues: [{ path: headers.priority, message }] });
  }
  return ok(isSigned ? priority : Math.max(priority, normal));
}
