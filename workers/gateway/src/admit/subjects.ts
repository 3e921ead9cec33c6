import type { Limits, Terms } from "@ledge/contract";
import { type Amounts, amountsOf, type CallTokens } from "@ledge/policy";
import type { Principal } from "../exchange.ts";

/** Whose limits apply to a call, each counted by a meter of its own. */
export interface Subject {
  /** The meter's name: unique across tenants and kinds. */
  readonly name: string;
  /** What its limits are called in headers begins with this; a key's own with nothing. */
  readonly prefix: string;
  readonly limits: Limits;
}

/** All whose limits apply. A key is always among them: its meter knows whether it was revoked. */
export function subjectsOf(
  { tenant, subject, keyId, user, standing }: Principal,
  model: string | undefined,
  terms: Terms,
): readonly Subject[] {
  const all: Subject[] = [{ name: subject, prefix: "", limits: standing.limits.key }];
  const limited = (name: string, prefix: string, limits: Limits | undefined) => {
    if (limits !== undefined) all.push({ name, prefix, limits });
  };
  // Lengths keep tenant "a" with user "b:c" apart from tenant "a:b" with user "c".
  if (user !== undefined) limited(`user:${tenant.length}:${tenant}:${user}`, "user-", standing.limits.user);
  limited(`tenant:${tenant}`, "tenant-", standing.limits.tenant);
  if (model !== undefined) {
    limited(`tenant-model:${tenant.length}:${tenant}:${model}`, "tenant-model-", own(standing.tenant.models, model));
    limited(`model:${model}`, "model-", own(terms.models, model)?.limits);
  }
  limited(`tier:${standing.tier}`, "tier-", standing.limits.tier);
  return all.filter(({ name, limits }) => hasAny(limits) || (keyId !== undefined && name === subject));
}

/** What the call takes of each subject; of those of which it takes nothing, only a key's meter is asked. */
export function demandsOf(
  subjects: readonly Subject[],
  tokens: CallTokens | undefined,
): readonly { readonly subject: Subject; readonly call: Amounts }[] {
  return subjects
    .map((subject) => ({ subject, call: amountsOf(subject.limits, tokens) }))
    .filter(({ subject, call }) => hasAny(call) || subject.prefix === "");
}

function hasAny(limits: object): boolean {
  for (const _ in limits) return true;
  return false;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
