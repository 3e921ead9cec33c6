import { type DeletedTenant, tenantAnswer, tenantsAnswer, webhookAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { confirm } from "../ask/answer-of.ts";
import {
  type NumberFlags,
  numberOf,
  numbersOf,
  patched,
  said,
  segment,
  settingOf,
  withLimitOption,
  withQuotaOption,
} from "../ask/settings.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import { makeChange } from "../send/change.ts";
import { tenantsText, tenantText } from "../tell/tenancy.ts";
import { change } from "./model-change.ts";

interface SettingFlags extends ChangeFlags, NumberFlags {
  readonly plan?: string;
  readonly weight?: string;
  readonly timeZone?: string;
  readonly overrun?: string;
  readonly guard?: string;
  readonly guardModel?: string;
  readonly guardThreshold?: string;
  readonly unicode?: string;
  readonly outOfDistribution?: string;
}

function withSettings(command: Command): Command {
  const made = command
    .option("--plan <plan>", "its plan")
    .option("--weight <n>", "its share under overload, against others' 1")
    .option("--time-zone <zone>", "when its days and months begin, as in Europe/Berlin")
    .option("--overrun <how>", "a stream that passes what was reserved: stop or allow")
    .option("--guard <mode>", "a guard model before chats: off, flag or block")
    .option("--guard-model <model>", "which")
    .option("--guard-threshold <share>", "above which score it speaks")
    .option("--unicode <policy>", "odd characters: allow, flag or refuse")
    .option("--out-of-distribution <policy>", "inputs unlike the model's: allow, flag or refuse");
  return withChangeOptions(withQuotaOption(withLimitOption(made)));
}

function settingsOf(flags: SettingFlags): Readonly<Record<string, unknown>> {
  const guard = said({ mode: flags.guard, model: flags.guardModel, threshold: numberOf(flags.guardThreshold) });
  const input = said({ unicode: settingOf(flags.unicode), out_of_distribution: settingOf(flags.outOfDistribution) });
  return {
    plan: settingOf(flags.plan),
    weight: numberOf(flags.weight),
    time_zone: settingOf(flags.timeZone),
    overrun: settingOf(flags.overrun),
    ...(Object.keys(guard).length === 0 ? {} : { guard }),
    ...(Object.keys(input).length === 0 ? {} : { input }),
    ...numbersOf(flags),
  };
}

const whose = "<tenant>";
export const pathOfTenant = (tenant: string) => `/tenants/${segment(tenant)}`;

export function tenantCreate({ terminal }: Context): Command {
  const command = newCommand("create", "Make a tenant", [
    "ledge tenant create acme --plan pro --time-zone Europe/Berlin",
    "ledge tenant create acme --limit requests_per_minute=600 --quota tokens_per_month=5000000",
  ]).argument(whose, "its name");
  return withSettings(command).action(async (tenant: string, flags: SettingFlags) => {
    const json = { tenant, ...said(settingsOf(flags)) };
    const what = {
      method: "POST",
      path: "/tenants",
      json,
      what: `make the tenant ${tenant}`,
      needs: "/tenants",
    } as const;
    await change(what, `The tenant ${tenant} is made.`, flags, terminal);
  });
}

export function tenantSet({ terminal }: Context): Command {
  const command = newCommand("set", "Change what holds for a tenant; the rest of its settings stays", [
    "ledge tenant set acme --plan free --limit in_flight=8 --quota microcents_per_month=default",
  ]).argument(whose, "whose settings");
  return withSettings(command)
    .addHelpText("after", "\n'default' in place of a value leaves it to the plan, then to the deployment.")
    .action(async (tenant: string, flags: SettingFlags) => {
      const json = patched(settingsOf(flags), "ledge tenant set");
      const path = pathOfTenant(tenant);
      const what = {
        method: "PATCH",
        path,
        json,
        what: `set ${JSON.stringify(json)} of ${tenant}`,
        needs: path,
      } as const;
      await change(what, `${tenant} is changed; gateways follow within seconds.`, flags, terminal);
    });
}

export function tenantList({ terminal }: Context): Command {
  const command = newCommand("list", "List tenants, their plans and how much of them there is", ["ledge tenant list"])
    .option("--after <tenant>", "those after this one")
    .option("--limit <n>", "at most so many");
  return withTargetOptions(command).action(
    async ({ url, json, after, limit }: TargetFlags & { readonly after?: string; readonly limit?: string }) => {
      const query = new URLSearchParams(said({ after, limit }) as Record<string, string>);
      const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path: `/tenants?${query}` });
      terminal.print(json ? JSON.stringify(value) : tenantsText(tenantsAnswer.parse(value)));
    },
  );
}

export function tenantShow({ terminal }: Context): Command {
  const command = newCommand("show", "Show one tenant and its settings", ["ledge tenant show acme"]);
  return withTargetOptions(command.argument(whose, "which")).action(async (tenant: string, flags: TargetFlags) => {
    const path = pathOfTenant(tenant);
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path });
    terminal.print(flags.json ? JSON.stringify(value) : tenantText(tenantAnswer.parse(value)));
  });
}

export function tenantSuspend({ terminal }: Context): Command {
  const command = newCommand("suspend", "Refuse all calls of a tenant until it is resumed", [
    "ledge tenant suspend acme",
  ])
    .argument(whose, "which")
    .option("--yes", "do not ask");
  return withChangeOptions(command).action(async (tenant: string, flags: ChangeFlags & { readonly yes?: true }) => {
    if (!flags.dryRun) await confirm(terminal, `Refuse all calls of ${tenant}?`, flags.yes === true);
    const path = pathOfTenant(tenant);
    const what = {
      method: "POST",
      path: `${path}/suspend`,
      what: `refuse all calls of ${tenant}`,
      needs: path,
    } as const;
    await change(what, `${tenant} is suspended: its calls are refused within seconds.`, flags, terminal);
  });
}

export function tenantResume({ terminal }: Context): Command {
  const command = newCommand("resume", "Take a suspended tenant's calls again", ["ledge tenant resume acme"]);
  return withChangeOptions(command.argument(whose, "which")).action(async (tenant: string, flags: ChangeFlags) => {
    const path = pathOfTenant(tenant);
    const what = { method: "POST", path: `${path}/resume`, what: `take ${tenant}'s calls again`, needs: path } as const;
    await change(what, `${tenant}'s calls are taken again.`, flags, terminal);
  });
}

export function tenantDelete({ terminal }: Context): Command {
  const command = newCommand(
    "delete",
    "Delete a tenant with its projects, members and keys; what it used stays counted",
    ["ledge tenant delete acme --dry-run", "ledge tenant delete acme"],
  )
    .argument(whose, "which")
    .option("--yes", "do not ask");
  return withChangeOptions(command).action(async (tenant: string, flags: ChangeFlags & { readonly yes?: true }) => {
    const path = pathOfTenant(tenant);
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path });
    const { projects, members, keys } = tenantAnswer.parse(value);
    const what = `delete ${tenant} with ${keys} keys, ${members} members and ${projects} projects`;
    if (!flags.dryRun)
      await confirm(terminal, `${what[0]?.toUpperCase()}${what.slice(1)}, for good?`, flags.yes === true);
    const gone = await makeChange({ method: "DELETE", path, what, needs: path }, flags, terminal);
    if (gone === undefined) return;
    const ended = (gone as DeletedTenant).keys;
    terminal.print(flags.json ? JSON.stringify(gone) : `${tenant} is deleted, and ${ended} keys with it.`);
  });
}

export function tenantWebhook({ terminal }: Context): Command {
  const command = newCommand(
    "webhook",
    "Say where a tenant's events go; the secret that signs them is shown this once",
    ["ledge tenant webhook acme https://hooks.example.com/ledge", "ledge tenant webhook acme --remove"],
  )
    .argument(whose, "whose events")
    .argument("[address]", "https://…; the one it has, again, makes a new secret")
    .option("--remove", "nowhere any more");
  return withChangeOptions(command).action(
    async (tenant: string, address: string | undefined, flags: ChangeFlags & { readonly remove?: true }) => {
      if ((address === undefined) !== (flags.remove === true)) {
        throw new Refusal("Give an address or --remove.", 2);
      }
      const path = `${pathOfTenant(tenant)}/webhook`;
      const needs = pathOfTenant(tenant);
      if (address === undefined) {
        await change(
          { method: "DELETE", path, what: `send ${tenant}'s events nowhere`, needs },
          `${tenant}'s events go nowhere.`,
          flags,
          terminal,
        );
        return;
      }
      const what = `send ${tenant}'s events to ${address}`;
      const set = await makeChange({ method: "PUT", path, json: { url: address }, what, needs }, flags, terminal);
      if (set === undefined) return;
      terminal.print(flags.json ? JSON.stringify(set) : webhookAnswer.parse(set).secret);
      terminal.say("Keep it: it is not shown again. Setting the address again makes a new one.");
    },
  );
}
