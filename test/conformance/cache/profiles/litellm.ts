import { NotOffered } from "../../suite/judge.ts";
import type { Dress, Profile, Undressed } from "../profile.ts";
import { refuse } from "./openai.ts";

/** LiteLLM's proxy with its in-memory cache; a call steers it by the member `cache` of its body. */
export const litellm: Profile = {
  name: "litellm",
  about: "LiteLLM's proxy with `cache: true`, `cache_params.type: local` and two keys.",
  claims: new Set(["exact", "streams", "ttl", "partition"]),
  dress({ key, wish }: Undressed): Dress {
    refuse(wish, ["tags", "ifNoneMatch"]);
    const cache = {
      ...controlOf(wish.cacheControl),
      ...(wish.ttl === undefined ? {} : { ttl: numberOr(wish.ttl) }),
      ...(wish.partition === undefined ? {} : { namespace: wish.partition }),
    };
    const timeout = wish.timeoutMs === undefined ? {} : { timeout: Number(wish.timeoutMs) / 1000 };
    return {
      headers: { Authorization: `Bearer ${key}` },
      body: { ...(Object.keys(cache).length === 0 ? {} : { cache }), ...timeout },
    };
  },
};

function controlOf(cacheControl: string | undefined): object {
  if (cacheControl === undefined) return {};
  if (cacheControl === "no-cache" || cacheControl === "no-store") return { [cacheControl]: true };
  const [, maxAge] = /^max-age=(\d+)$/.exec(cacheControl) ?? [];
  if (maxAge !== undefined) return { "s-maxage": Number(maxAge) };
  throw new NotOffered(`a caller has no way to say '${cacheControl}'`);
}

function numberOr(text: string): number | string {
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
