import { eventsAnswer, reconcileAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { targetOf } from "../ask/target.ts";
import { type TargetFlags, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { callAdmin } from "../send/admin.ts";
import { eventsText } from "../tell/usage.ts";

export function ledgerReconcile({ terminal }: Context): Command {
  const command = newCommand("reconcile", "Fill in from the origin's journal the calls that no isolate told of", [
    "ledge ledger reconcile acme",
  ]).argument("<tenant>", "whose ledger it is");
  return withTargetOptions(command).action(async (tenant: string, { url, json }: TargetFlags) => {
    const call = { method: "POST", path: "/ledger/reconcile", json: { tenant } } as const;
    const { value } = await callAdmin(targetOf(url, terminal), call);
    const { read, added, unreported } = reconcileAnswer.parse(value);
    const left = `Still counted without a row: ${unreported.calls} calls, ${unreported.tokens} tokens.`;
    terminal.print(json ? JSON.stringify(value) : `Read ${read} calls, of which ${added} were missing. ${left}`);
  });
}

export function ledgerEvents({ terminal }: Context): Command {
  const command = newCommand(
    "events",
    "List what quotas raised: shares that were reached, and quotas that are used up",
    ["ledge ledger events --tenant acme"],
  ).option("--tenant <tenant>", "only of this tenant");
  return withTargetOptions(command).action(
    async ({ url, json, tenant }: TargetFlags & { readonly tenant?: string }) => {
      const query = new URLSearchParams(tenant === undefined ? {} : { tenant });
      const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path: `/events?${query}` });
      terminal.print(json ? JSON.stringify(value) : eventsText(eventsAnswer.parse(value).events));
    },
  );
}
