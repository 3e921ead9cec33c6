import { actions, type Role, roles, type Scope } from "@ledge/contract";
import { expect, test } from "vitest";
import { actionsBeyond, mayIssue, scopesWithin } from "./roles.ts";

const calls = ["infer", "embed", "chat", "batch", "feedback"] as const;
const all: readonly Scope[] = [{ actions: [...actions], models: ["*"] }];

const may: Readonly<Record<Role, readonly string[]>> = {
  owner: actions,
  admin: actions,
  developer: calls,
  viewer: ["admin-read"],
};

test.each(roles)("keys of a member who is %s may do what the role does, and nothing else", (role) => {
  expect(scopesWithin(role, all).flatMap((scope) => scope.actions)).toEqual(may[role]);
  expect(actionsBeyond(role, all)).toEqual(actions.filter((action) => !may[role].includes(action)));
  expect(scopesWithin(role, all)).toEqual([{ actions: may[role], models: ["*"] }]);
});

test("a scope of which a role leaves nothing is gone", () => {
  expect(scopesWithin("viewer", [{ actions: ["infer"], models: ["*"] }])).toEqual([]);
});

const admin = (...models: string[]): readonly Scope[] => [{ actions: ["admin-write"], models }];
const infer = (...models: string[]): readonly Scope[] => [{ actions: ["infer"], models }];

test.each([
  ["calls of every model by a key over all of them", admin("*"), infer("*"), true],
  ["calls of a model that it reaches by prefix", admin("team-*"), infer("team-a", "team-b@2", "team-b*"), true],
  ["calls of a model that it does not reach", admin("team-*"), infer("team-a", "other"), false],
  ["every model by a key over some", admin("team-*"), infer("*"), false],
  ["a wider prefix than its own", admin("team-*"), infer("te*"), false],
  ["a version of a model that it has whole", admin("intent"), infer("intent@3"), true],
  ["the whole of a model of which it has a version", admin("intent@3"), infer("intent"), false],
  ["a prefix by a key over a model of that name", admin("team"), infer("team*"), false],
  ["calls by a key that only looks", [{ actions: ["admin-read"], models: ["*"] }] as const, infer("*"), false],
  ["looks by a key that only writes", admin("*"), [{ actions: ["admin-read"], models: ["*"] }] as const, false],
  ["a key as strong as itself", all, all, true],
  ["calls by a key that has no power over keys", infer("*"), infer("*"), false],
] as const)("a key may not hand on more than it has: %s", (_what, held, wanted, allowed) => {
  expect(mayIssue(held as readonly Scope[], wanted as readonly Scope[])).toBe(allowed);
});
