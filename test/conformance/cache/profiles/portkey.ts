import { NotOffered } from "../../suite/judge.ts";
import type { Dress, Profile, Undressed } from "../profile.ts";
import { refuse } from "./openai.ts";

/** The cache's life when nobody says one, seconds. */
const ttlSDefault = 3_600;

/**
 * Portkey's open-source gateway with its simple cache. Each call carries its configuration: provider, upstream, cache. The
 * gateway takes `max_age` in milliseconds, whatever the documentation of the hosted service says, so that is what is sent.
 */
export const portkey: Profile = {
  name: "portkey",
  about: "Portkey's open-source gateway, with `cache: true` in its conf.json when it was built.",
  claims: new Set(["exact", "ttl", "deadline"]),
  dress({ key, originUrl, wish }: Undressed): Dress {
    refuse(wish, ["partition", "tags", "ifNoneMatch"]);
    const refresh = wish.cacheControl === "no-cache";
    const off = wish.cacheControl === "no-store";
    if (wish.cacheControl !== undefined && !refresh && !off) {
      throw new NotOffered(`a caller has no way to say '${wish.cacheControl}'`);
    }
    const cache = { mode: "simple", max_age: millisecondsOf(wish.ttl) };
    const config = { provider: "openai", api_key: key, custom_host: `${originUrl}/v1`, ...(off ? {} : { cache }) };
    return {
      headers: {
        Authorization: `Bearer ${key}`,
        "x-portkey-config": JSON.stringify(config),
        ...(refresh ? { "x-portkey-cache-force-refresh": "true" } : {}),
        ...(wish.timeoutMs === undefined ? {} : { "x-portkey-request-timeout": wish.timeoutMs }),
      },
    };
  },
};

/** A text that is no number goes through as it is: what becomes of it is the target's to say. */
function millisecondsOf(ttl: string | undefined): number | string {
  const seconds = Number(ttl ?? ttlSDefault);
  return Number.isNaN(seconds) ? String(ttl) : seconds * 1000;
}
