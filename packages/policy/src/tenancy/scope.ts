import type { Action, Scope } from "@ledge/contract";

/**
 * Whether any of the scopes allows an action with a model. Without a version, whether it allows it with any of the model's:
 * what the name alone can tell, before a version is assigned.
 */
export function allows(scopes: readonly Scope[], action: Action, model: string, version?: string): boolean {
  return scopes.some(
    ({ actions, models }) => actions.includes(action) && models.some((pattern) => matches(pattern, model, version)),
  );
}

function matches(pattern: string, model: string, version: string | undefined): boolean {
  if (pattern === "*") return true;
  if (pattern.endsWith("*")) return model.startsWith(pattern.slice(0, -1));
  const [name, wanted] = pattern.split("@");
  return name === model && (wanted === undefined || version === undefined || wanted === version);
}
