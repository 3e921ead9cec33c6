import type { Dress, Operator, OperatorAddress, Profile, Scope, Undressed } from "../profile.ts";

export const ledge: Profile = {
  name: "ledge",
  about: "ORIGIN_URL is the mock origin, both models are registered, CACHE_STALE_… are 0.",
  claims: new Set([
    "exact",
    "canonical",
    "sampled",
    "streams",
    "pieces",
    "forms",
    "tools",
    "usage",
    "directives",
    "ttl",
    "partition",
    "ranges",
    "status",
    "age",
    "validation",
    "stale",
    "purge",
    "shred",
    "one-flight",
    "deadline",
  ]),
  dress({ key, wish }: Undressed): Dress {
    const asked = {
      "Cache-Control": wish.cacheControl,
      "Ledge-Cache-Ttl": wish.ttl,
      "Ledge-Cache-Key": wish.partition,
      "Ledge-Cache-Tag": wish.tags,
      "If-None-Match": wish.ifNoneMatch,
      "Ledge-Timeout-Ms": wish.timeoutMs,
    };
    const said = Object.entries(asked).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
    return { headers: { Authorization: `Bearer ${key}`, ...Object.fromEntries(said) } };
  },
  operator: operatorOf,
};

function operatorOf({ url, adminKey }: OperatorAddress): Operator {
  const call = async (method: string, path: string, body?: object): Promise<void> => {
    const answer = await fetch(`${url}/admin/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${adminKey}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} got ${answer.status} ${text.slice(0, 200)}`);
  };
  return {
    purge: (scope: Scope) => call("POST", "/cache/purge", scope),
    setStale: (model, policy) =>
      policy === undefined
        ? call("DELETE", `/models/${model}/cache`)
        : call("PUT", `/models/${model}/cache`, {
            stale_while_revalidate_s: policy.staleWhileRevalidateS ?? 0,
            stale_if_error_s: policy.staleIfErrorS ?? 0,
          }),
    rotateKey: (tenant) => call("POST", `/tenants/${tenant}/cache/keys/rotate`),
    destroyKeys: (tenant) => call("DELETE", `/tenants/${tenant}/cache/keys`),
  };
}
