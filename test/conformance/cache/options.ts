import { parseArgs } from "node:util";
import type { Feature, Profile } from "./profile.ts";
import { profiles } from "./profiles.ts";

export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  /** Absent: Ledge is started. */
  readonly url?: string;
  readonly profile: Profile;
  readonly keys: { readonly a: string; readonly b: string };
  readonly tenants: { readonly a: string; readonly b: string };
  readonly adminKey?: string;
  readonly model: string;
  readonly otherModel: string;
  readonly originPort: number;
  readonly only: readonly string[];
  /** What the report calls the target. */
  readonly title: string;
  readonly json?: string;
  /** Files of earlier runs to be shown side by side; nothing is run then. */
  readonly table: readonly string[];
}

export const usage = `npm run conformance -- [options]

Asks a gateway's answer cache about every rule, through its public API only, and prints pass, fail or not offered for each.
A mock origin of the suite's own must be the gateway's upstream. Without --target Ledge itself is started over one.

  --target URL        the gateway, without /v1
  --profile NAME      how it is asked (default openai):
${profiles.map(({ name, about }) => `                        ${name.padEnd(9)} ${about}`).join("\n")}
  --key-a, --key-b    keys of two tenants
  --tenant-a, -b      what the gateway calls those tenants, for purges (default a and b)
  --admin-key KEY     its operator's key, for rules about purges and policies
  --model NAME        a model whose upstream is the mock origin (default chat-one)
  --other-model NAME  another one (default chat-two)
  --origin-port N     where the mock origin listens on 127.0.0.1 (default 8789)
  --header NAME=VALUE a header for every call; {origin} and {key} stand for the origin's URL and the caller's key
  --claims A,B        what the target says it does, in place of the profile's list; see --list
  --only ID,ID        these rules only
  --list              the rules, their features, and what users suffer without them
  --title TEXT        what the report calls the target (default its profile)
  --json FILE         write the verdicts there as well
  --table FILE …      show such files side by side as Markdown, and run nothing
  --help              this text

Ends with 1 when a rule fails that the target claims, or that nobody may break.`;

/** Reads the command line. Throws an error with one sentence when it cannot be understood. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: text,
      profile: text,
      "key-a": { ...text, default: "key-a" },
      "key-b": { ...text, default: "key-b" },
      "tenant-a": { ...text, default: "a" },
      "tenant-b": { ...text, default: "b" },
      "admin-key": text,
      model: { ...text, default: "chat-one" },
      "other-model": { ...text, default: "chat-two" },
      "origin-port": { ...text, default: "8789" },
      header: { ...text, multiple: true, default: [] },
      claims: text,
      only: text,
      title: text,
      json: text,
      list: { type: "boolean", default: false },
      table: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { target, json, "admin-key": adminKey } = values;
  const named = profileNamed(values.profile ?? (target === undefined ? "ledge" : "openai"));
  const profile = withHeaders(withClaims(named, listOf(values.claims)), values.header);
  return {
    help: values.help,
    list: values.list,
    profile,
    keys: { a: values["key-a"], b: values["key-b"] },
    tenants: { a: values["tenant-a"], b: values["tenant-b"] },
    model: values.model,
    otherModel: values["other-model"],
    originPort: portOf(values["origin-port"]),
    only: listOf(values.only) ?? [],
    title: values.title ?? profile.name,
    table: values.table ? positionals : [],
    ...(target === undefined ? {} : { url: target.replace(/\/+$/, "") }),
    ...(adminKey === undefined ? {} : { adminKey }),
    ...(json === undefined ? {} : { json }),
  };
}

function profileNamed(name: string): Profile {
  const profile = profiles.find((one) => one.name === name);
  if (profile === undefined) {
    throw new Error(`--profile takes ${profiles.map((one) => one.name).join(", ")}, not '${name}'.`);
  }
  return profile;
}

function withClaims(profile: Profile, claims: readonly string[] | undefined): Profile {
  return claims === undefined ? profile : { ...profile, claims: new Set(claims as readonly Feature[]) };
}

function withHeaders(profile: Profile, pairs: readonly string[]): Profile {
  if (pairs.length === 0) return profile;
  const named = pairs.map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 1) throw new Error(`--header takes NAME=VALUE, not '${pair}'.`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return {
    ...profile,
    dress(call) {
      const dress = profile.dress(call);
      const filled = named.map(([name, value]) => [
        name,
        value.replaceAll("{origin}", call.originUrl).replaceAll("{key}", call.key),
      ]);
      return { ...dress, headers: { ...dress.headers, ...Object.fromEntries(filled) } };
    },
  };
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(",").map((one) => one.trim());
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535)
    throw new Error(`--origin-port takes a port from 0 to 65535, not '${text}'.`);
  return port;
}
