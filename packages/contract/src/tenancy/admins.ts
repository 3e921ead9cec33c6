import * as z from "zod/mini";

/** The operator's credentials beside the one that the deployment was made with: named, scoped, and ended one by one. */

/** `…:read` looks, `…:write` changes; neither holds the other. `terms` are plans, tiers and prices. */
export const adminScopes = [
  "models:read",
  "models:write",
  "cache:read",
  "cache:write",
  "tenants:read",
  "tenants:write",
  "keys:read",
  "keys:write",
  "terms:read",
  "terms:write",
  "usage:read",
  "usage:write",
  "audit:read",
  "blocks:read",
  "blocks:write",
  "admins:read",
  "admins:write",
] as const;
export const adminScope = z.enum(adminScopes);
export type AdminScope = z.infer<typeof adminScope>;

/** Who the audit says it was, when it was none of these: the deployment's own key, the deployment, a rollout, a caller. */
export const rootAdmin = "operator";
const taken: readonly string[] = [rootAdmin, "deployment", "controller", "caller"];

export const adminName = z.string().check(
  z.regex(/^[a-z][a-z0-9._-]{0,63}$/, "a letter, then letters, digits, '.', '_', '-'"),
  z.refine((name) => !taken.includes(name), "this name stands for somebody else in the audit"),
);

/** `POST /admin/v1/admins`. */
export const newAdminRequest = z.strictObject({
  name: adminName,
  scopes: z.array(adminScope).check(z.minLength(1), z.maxLength(adminScopes.length)),
  expires_at: z.optional(z.iso.datetime({ offset: true, error: "a time as RFC 3339 writes it" })),
});
export type NewAdminRequest = z.infer<typeof newAdminRequest>;

export const adminAnswer = z.object({
  name: z.string(),
  state: z.enum(["active", "expired", "revoked"]),
  scopes: z.array(adminScope),
  created_at: z.string(),
  expires_at: z.optional(z.string()),
  revoked_at: z.optional(z.string()),
});
export type AdminAnswer = z.infer<typeof adminAnswer>;
export const adminsAnswer = z.object({ admins: z.array(adminAnswer) });
export type AdminsAnswer = z.infer<typeof adminsAnswer>;

/** The only time the key is shown. */
export const newAdminAnswer = z.extend(adminAnswer, { key: z.string() });
export type NewAdminAnswer = z.infer<typeof newAdminAnswer>;

export const revokedAdmin = z.object({ revoked: z.string() });
