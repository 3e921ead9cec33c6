import {
  type CacheChange,
  type CachePolicy,
  type CacheState,
  fail,
  type Issue,
  ok,
  type Result,
} from "@ledge/contract";
import { purgeScope, withoutExpired, withPurge } from "./purge.ts";

/** What the list of changes says of one beside its number, its time and who made it. */
export interface CacheAudit {
  readonly kind: CacheChange["kind"];
  readonly scope: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface CacheStep {
  readonly state: CacheState;
  /** Absent when the change asks for what is so already: nothing changed then, the number neither. */
  readonly audit?: CacheAudit;
}

/**
 * One change of the cache's rules, done as a whole or refused as a whole. The number grows by one with each, and a purge
 * is remembered under it: higher than that of anything that was kept before. Keys themselves are the keeper's; the state
 * says at which number they changed. Errors: `invalid_request` for a policy that contradicts itself.
 */
export function cacheStep(before: CacheState, change: CacheChange, nowMs: number): Result<CacheStep> {
  const number = before.number + 1;
  const state: CacheState = { ...before, number, purges: withoutExpired(before.purges, nowMs) };
  switch (change.kind) {
    case "set-policy":
      return setPolicy(before, state, change);
    case "purge": {
      const scope = purgeScope(change.purge);
      const purges = withPurge(state.purges, scope, { number, atMs: nowMs });
      return ok({ state: { ...state, purges }, audit: { kind: "purge", scope, from: null, to: null } });
    }
    case "rotate-keys":
    case "destroy-keys": {
      const { kind, tenant } = change;
      const keys = { ...state.keys, [tenant]: number };
      return ok({ state: { ...state, keys }, audit: { kind, scope: `tenant:${tenant}`, from: null, to: null } });
    }
  }
}

function setPolicy(
  before: CacheState,
  state: CacheState,
  { of, name, policy }: Extract<CacheChange, { kind: "set-policy" }>,
): Result<CacheStep> {
  const issues = policy === null ? [] : policyIssues(policy);
  if (issues.length > 0) return fail("invalid_request", { issues });
  const part = of === "model" ? "models" : "tenants";
  const known = policyOf(before, of, name) ?? null;
  if (JSON.stringify(known) === JSON.stringify(policy)) return ok({ state: before });
  const { [name]: _gone, ...others } = state[part];
  const policies = policy === null ? others : { ...others, [name]: policy };
  const audit = { kind: "set-policy", scope: `${of}:${name}`, from: known, to: policy } as const;
  return ok({ state: { ...state, [part]: policies }, audit });
}

/** `undefined` for names without a policy, those of `Object`'s own members included. */
export function policyOf(state: CacheState, of: "model" | "tenant", name: string): CachePolicy | undefined {
  const policies = of === "model" ? state.models : state.tenants;
  return Object.hasOwn(policies, name) ? policies[name] : undefined;
}

/** What in a policy contradicts itself, all of it. The ranges of its members are the schema's. */
export function policyIssues({ ttl_s, ttl_s_max, vary, semantic }: CachePolicy): readonly Issue[] {
  const issues: Issue[] = [];
  if (ttl_s !== undefined && ttl_s_max !== undefined && ttl_s > ttl_s_max) {
    issues.push({ path: "ttl_s", message: `is above ttl_s_max, ${ttl_s_max}` });
  }
  const twice = vary?.find((header, i) => vary.indexOf(header) !== i);
  if (twice !== undefined) issues.push({ path: "vary", message: `names '${twice}' twice` });
  const { candidates_max: candidates, entries_max: entries } = semantic ?? {};
  if (candidates !== undefined && entries !== undefined && candidates > entries) {
    issues.push({ path: "semantic.candidates_max", message: `is above entries_max, ${entries}` });
  }
  return issues;
}
