import { NotOffered } from "../../suite/judge.ts";
import type { Profile } from "../profile.ts";

/** Portkey's open-source gateway keeps no keys of its own and limits nothing; that is the hosted service's. */
export const portkey: Profile = {
  name: "portkey",
  about: "Portkey's open-source gateway.",
  claims: new Set(),
  dress: ({ key, originUrl }) => ({
    Authorization: `Bearer ${key}`,
    "x-portkey-config": JSON.stringify({ provider: "openai", api_key: key, custom_host: `${originUrl}/v1` }),
  }),
  async issue(allowed) {
    if (Object.keys(allowed).length > 0) throw new NotOffered("there are no limits to set");
    return { key: "key-of-the-provider" };
  },
};
