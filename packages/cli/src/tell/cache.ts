import type { CacheAnswer, CacheKeysAnswer, CachePolicy } from "@ledge/contract";
import { short } from "./registry.ts";
import { table } from "./table.ts";

/** Rows shown of what may be long. */
const rowsMax = 20;
const nothing = "–";

/** The rules as tables: policies, what was purged, what changed. */
export function cacheText({ number, default_policy, models, tenants, purges, changes }: CacheAnswer): string {
  const policies: Policies = [
    ["deployment", default_policy],
    ...Object.entries(models).map(([name, policy]) => [`model ${name}`, policy] as const),
    ...Object.entries(tenants).map(([name, policy]) => [`tenant ${name}`, policy] as const),
  ];
  const purged = purges.slice(-rowsMax).map((purge) => [purge.scope, String(purge.number), purge.at]);
  const changed = changes
    .slice(-rowsMax)
    .map(({ number, at, who, kind, scope, from, to }) => [
      String(number),
      at,
      who,
      kind,
      scope,
      kind === "purge" ? "" : `${short(from)} → ${short(to)}`,
    ]);
  return [
    policiesText(policies),
    purges.length === 0 ? "Nothing is purged." : table([[`purged (${purges.length})`, "number", "when"], ...purged]),
    changes.length === 0
      ? "Nothing was changed."
      : table([["number", "when", "who", "what", "of", "from → to"], ...changed]),
    `The rules' number is ${number}.`,
  ].join("\n\n");
}

type Policies = readonly (readonly [whose: string, policy: CachePolicy])[];

const columns: Readonly<Record<string, (policy: CachePolicy) => unknown>> = {
  cache: ({ enabled }) => switchText(enabled),
  ttl: ({ ttl_s }) => ttl_s,
  "ttl max": ({ ttl_s_max }) => ttl_s_max,
  "stale while revalidate": (policy) => policy.stale_while_revalidate_s,
  "stale if error": (policy) => policy.stale_if_error_s,
  bytes: ({ entry_bytes_max }) => entry_bytes_max,
  vary: ({ vary }) => (vary?.length === 0 ? "nothing" : vary?.join(",")),
  collapse: ({ collapse }) => collapse,
  semantic: ({ semantic }) => semanticText(semantic),
};

/** A row a policy, in seconds and bytes; a dash where it leaves the word to others. */
export function policiesText(policies: Policies): string {
  const rows = policies.map(([whose, policy]) => [
    whose,
    ...Object.values(columns).map((read) => String(read(policy) ?? nothing)),
  ]);
  return table([["whose", ...Object.keys(columns)], ...rows]);
}

function switchText(enabled: boolean | undefined): string | undefined {
  return enabled === undefined ? undefined : enabled ? "on" : "off";
}

function semanticText(semantic: CachePolicy["semantic"]): string | undefined {
  if (semantic === undefined) return undefined;
  const { enabled, ...rest } = semantic;
  const said = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return [switchText(enabled), ...said].filter((part) => part !== undefined).join(" ") || undefined;
}

export function keysText(tenant: string, { keys }: CacheKeysAnswer): string {
  if (keys.length === 0) return `${tenant} has no keys: they are made at its first call that can be kept.`;
  const rows = keys.map(({ id, created_at }, i) => [String(id), created_at, i === 0 ? "seals and opens" : "opens"]);
  return table([["key", "made", "does"], ...rows]);
}
