import { usageAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { targetOf } from "../ask/target.ts";
import { type TargetFlags, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { callAdmin } from "../send/admin.ts";
import { usageText } from "../tell/usage.ts";

interface UsageFlags extends TargetFlags {
  readonly tenant?: string;
  readonly key?: string;
  readonly user?: string;
  readonly model?: string;
  readonly by?: string;
  readonly per?: string;
  readonly from?: string;
  readonly to?: string;
  readonly csv?: true;
}

export function usage({ terminal }: Context): Command {
  const command = newCommand("usage", "Calls, tokens, money and latency: who used what, and what is left of quotas", [
    "ledge usage",
    "ledge usage --tenant acme --by model,tier --per day --from 2026-11-01",
    "ledge usage --by tenant,key --csv",
  ])
    .option("--tenant <tenant>", "only this tenant's calls, and what is left of its quotas")
    .option("--key <id>", "only this key's calls")
    .option("--user <user>", "only this user's calls")
    .option("--model <model>", "only calls of this model")
    .option(
      "--by <names>",
      "a line for each tenant, key, user, project, model, version, action, tier or cache; with commas",
    )
    .option("--per <period>", "a line for each hour or day")
    .option("--from <time>", "since when, RFC 3339 (default: 30 days before --to)")
    .option("--to <time>", "until when (default: now)")
    .option("--csv", "print CSV, money in micro-cents");
  return withTargetOptions(command).action(async ({ url, json, csv, ...asked }: UsageFlags) => {
    const query = new URLSearchParams(asked as Record<string, string>);
    if (csv) query.set("format", "csv");
    const answer = await callAdmin(targetOf(url, terminal), { method: "GET", path: `/usage?${query}` });
    if (csv) terminal.print(answer.text.trimEnd());
    else terminal.print(json ? JSON.stringify(answer.value) : usageText(usageAnswer.parse(answer.value)));
  });
}
