import { fail, ok, type Result } from "@ledge/contract";

/**
 * What an isolate keeps between requests, wired once from its variables and bindings. Errors: `internal_error` with every
 * wrong variable in its cause, until the next deployment.
 */
export function keptBy<E extends object, C, R>(
  read: (env: E) => Result<C>,
  wire: (env: E, config: C) => R,
): (env: E) => Result<R> {
  const kept = new WeakMap<object, Result<R>>();
  return (env) => {
    const known = kept.get(env);
    if (known !== undefined) return known;
    const config = read(env);
    const made = config.ok ? ok(wire(env, config.value)) : configFault(config.fault.issues ?? []);
    kept.set(env, made);
    return made;
  };
}

function configFault(issues: readonly { path: string; message: string }[]): Result<never> {
  const cause = `set these variables or secrets: ${issues.map(({ path, message }) => `${path} (${message})`).join(", ")}`;
  return fail("internal_error", { cause });
}
