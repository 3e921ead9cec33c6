import { parseArgs } from "node:util";
import type { Desk, Feature, Profile } from "./profile.ts";
import { profiles } from "./profiles.ts";

export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  /** Absent: Ledge is started. */
  readonly url?: string;
  readonly profile: Profile;
  readonly desk: Omit<Desk, "url">;
  readonly model: string;
  readonly originPort: number;
  readonly only: readonly string[];
  readonly title: string;
  readonly json?: string;
  /** Files of earlier runs to be shown side by side; nothing is run then. */
  readonly table: readonly string[];
}

export const usage = `npm run conformance -- --suite limits [options]

Asks a gateway about its limits, quotas and usage, through its public API only, and prints pass, fail or not offered for each
rule. A mock origin of the suite's own must be the gateway's upstream. Without --target Ledge itself is started over one.

  --target URL        the gateway, without /v1
  --profile NAME      how it is asked (default openai):
${profiles.map(({ name, about }) => `                        ${name.padEnd(9)} ${about}`).join("\n")}
  --admin-key KEY     its operator's key, where keys are issued by its API
  --issue COMMAND     makes a new key with the limits that it reads as JSON on standard input ({"requestsPerMinute": 7}; the
                      names are in test/conformance/limits/profile.ts); ends with 3 where there is no such limit
  --model NAME        a model whose upstream is the mock origin (default chat-one)
  --origin-port N     where the mock origin listens on 127.0.0.1 (default 8789)
  --claims A,B        what the target says it does, in place of the profile's list; see --list
  --only ID,ID        these rules only
  --list              the rules, their features, and what users suffer without them
  --title TEXT        what the report calls the target (default its profile)
  --json FILE         write the verdicts there as well
  --table FILE …      show such files side by side as Markdown, and run nothing
  --help              this text

Ends with 1 when a rule fails that the target claims.`;

/** Reads the command line. Throws an error with one sentence when it cannot be understood. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: text,
      profile: text,
      "admin-key": text,
      issue: text,
      model: { ...text, default: "chat-one" },
      "origin-port": { ...text, default: "8789" },
      claims: text,
      only: text,
      title: text,
      json: text,
      list: { type: "boolean", default: false },
      table: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { target, json, "admin-key": adminKey, issue: issueCommand } = values;
  const profile = withClaims(
    profileNamed(values.profile ?? (target === undefined ? "ledge" : "openai")),
    values.claims,
  );
  return {
    help: values.help,
    list: values.list,
    profile,
    desk: { ...(adminKey === undefined ? {} : { adminKey }), ...(issueCommand === undefined ? {} : { issueCommand }) },
    model: values.model,
    originPort: portOf(values["origin-port"]),
    only: listOf(values.only) ?? [],
    title: values.title ?? profile.name,
    table: values.table ? positionals : [],
    ...(target === undefined ? {} : { url: target.replace(/\/+$/, "") }),
    ...(json === undefined ? {} : { json }),
  };
}

function profileNamed(name: string): Profile {
  const profile = profiles.find((one) => one.name === name);
  if (profile !== undefined) return profile;
  throw new Error(`--profile takes ${profiles.map((one) => one.name).join(", ")}, not '${name}'.`);
}

function withClaims(profile: Profile, claims: string | undefined): Profile {
  return claims === undefined ? profile : { ...profile, claims: new Set(listOf(claims) as readonly Feature[]) };
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(",").map((one) => one.trim());
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port <= 65_535) return port;
  throw new Error(`--origin-port takes a port from 0 to 65535, not '${text}'.`);
}
