import { NotOffered } from "../../suite/judge.ts";
import type { Dress, Profile, Undressed } from "../profile.ts";

/** Any gateway that speaks OpenAI's API and HTTP's own cache headers; `--header` adds what it needs besides. */
export const openai: Profile = {
  name: "openai",
  about: "The mock origin is the target's upstream for both models; --header and --claims say the rest.",
  claims: new Set(["exact", "canonical"]),
  dress({ key, wish }: Undressed): Dress {
    refuse(wish, ["ttl", "partition", "tags", "timeoutMs"]);
    return {
      headers: {
        Authorization: `Bearer ${key}`,
        ...(wish.cacheControl === undefined ? {} : { "Cache-Control": wish.cacheControl }),
        ...(wish.ifNoneMatch === undefined ? {} : { "If-None-Match": wish.ifNoneMatch }),
      },
    };
  },
};

/** Throws `NotOffered` when a call wishes for one of these. */
export function refuse(wish: Undressed["wish"], unknown: readonly (keyof Undressed["wish"])[]): void {
  const asked = unknown.find((name) => wish[name] !== undefined);
  if (asked !== undefined) throw new NotOffered(`a caller has no way to say '${asked}'`);
}
