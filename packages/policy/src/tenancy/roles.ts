import { type Action, actions, type Role, type Scope } from "@ledge/contract";

const calls = ["infer", "embed", "chat", "batch", "feedback"] as const;

/** What keys of a member may do. Owners and admins manage keys; a viewer's key looks at usage and keys, and calls nothing. */
const actionsOf: Readonly<Record<Role, readonly Action[]>> = {
  owner: actions,
  admin: actions,
  developer: calls,
  viewer: ["admin-read"],
};

/** What of the scopes a role leaves: all of them, or fewer actions, or nothing. */
export function scopesWithin(role: Role, scopes: readonly Scope[]): readonly Scope[] {
  const allowed = actionsOf[role];
  return scopes
    .map((scope) => ({ ...scope, actions: scope.actions.filter((action) => allowed.includes(action)) }))
    .filter((scope) => scope.actions.length > 0);
}

/** The actions that a role does not have, each once. */
export function actionsBeyond(role: Role, scopes: readonly Scope[]): readonly Action[] {
  const wanted = new Set(scopes.flatMap((scope) => scope.actions));
  return [...wanted].filter((action) => !actionsOf[role].includes(action));
}

/**
 * Whether who holds `held` may have a key made with `wanted`: with calls of models that its `admin-write` reaches, and with
 * no power over keys or usage that it does not have itself.
 */
export function mayIssue(held: readonly Scope[], wanted: readonly Scope[]): boolean {
  return wanted.every(({ actions: each, models }) =>
    each.every((action) => {
      const needed = action === "admin-read" ? action : "admin-write";
      const patterns = held.filter((scope) => scope.actions.includes(needed)).flatMap((scope) => scope.models);
      return models.every((model) => patterns.some((pattern) => covers(pattern, model)));
    }),
  );
}

/** Whether all models of one pattern are among another's. */
function covers(pattern: string, model: string): boolean {
  if (pattern === "*" || pattern === model) return true;
  if (pattern.endsWith("*")) return model !== "*" && nameOf(model).startsWith(pattern.slice(0, -1));
  return !pattern.includes("@") && !model.endsWith("*") && nameOf(model) === pattern;
}

/** Without the version, and of a prefix what it begins with. */
function nameOf(model: string): string {
  return (model.split("@")[0] ?? "").replace(/\*$/, "");
}
