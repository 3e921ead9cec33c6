import { auditAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { targetOf } from "../ask/target.ts";
import { type TargetFlags, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { callAdmin } from "../send/admin.ts";
import { auditText } from "../tell/registry.ts";

interface AuditFlags extends TargetFlags {
  readonly model?: string;
  readonly after?: string;
  readonly limit?: string;
}

export function audit({ terminal }: Context): Command {
  const command = newCommand("audit", "List every change of the registry: who, when, from what, to what", [
    "ledge audit --model intent --limit 20",
  ])
    .option("--model <model>", "only changes of this model")
    .option("--after <number>", "only rows after this one")
    .option("--limit <n>", "at most so many rows");
  return withTargetOptions(command).action(async ({ url, json, model, after, limit }: AuditFlags) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ model, after, limit }))
      if (value !== undefined) query.set(name, value);
    const path = query.size === 0 ? "/audit" : `/audit?${query}`;
    const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path });
    terminal.print(json ? JSON.stringify(value) : auditText(auditAnswer.parse(value).rows));
  });
}
