import * as z from "zod/mini";

/** What a credential may be used for. */
export const actions = ["infer", "embed", "chat", "batch", "feedback", "admin-read", "admin-write"] as const;
export const action = z.enum(actions);
export type Action = z.infer<typeof action>;

/** `name`, `name@version`, `prefix-*`, or `*` for every model; `name` and `prefix-*` stand for all their versions. */
export const modelPattern = z.string().check(z.regex(/^(?:\*|[a-z0-9][a-z0-9._-]{0,63}(?:\*|@[0-9]{1,9})?)$/));

/** All of its actions with all of its models. A credential may do what any of its scopes allows. */
export const scope = z.strictObject({
  actions: z.array(action).check(z.minLength(1), z.maxLength(actions.length)),
  models: z.array(modelPattern).check(z.minLength(1), z.maxLength(64)),
});
export type Scope = z.infer<typeof scope>;

export const scopes = z.array(scope).check(z.minLength(1), z.maxLength(32));
