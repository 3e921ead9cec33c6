import { keyAnswer, type Limits, limits as limitsSchema, modelTerms, tenantAnswer, terms } from "@ledge/contract";
import type { Command } from "commander";
import { modelNameOf, modelPath } from "../ask/model-version.ts";
import { patchOf, segment } from "../ask/settings.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import { table } from "../tell/table.ts";
import { textOf } from "../tell/tenancy.ts";
import type { Terminal } from "../tell/terminal.ts";
import { change } from "./model-change.ts";
import { pathOfTenant } from "./tenant.ts";

/** Limits, whoever's they are. */

interface Whose {
  readonly tenant?: string;
  readonly key?: string;
  readonly model?: string;
  readonly tier?: string;
}

type Read = (path: string) => Promise<unknown>;

function reader(flags: TargetFlags, terminal: Terminal): Read {
  const target = targetOf(flags.url, terminal);
  return async (path) => (await callAdmin(target, { method: "GET", path })).value;
}

export function limitsShow({ terminal }: Context): Command {
  const command = newCommand("show", "Show which limits hold for a tenant or a key, all at once", [
    "ledge limits show --tenant acme",
    "ledge limits show --key 0123456789abcdef01234567",
  ])
    .option("--tenant <tenant>", "of this tenant's calls")
    .option("--key <id>", "of this key's calls");
  return withTargetOptions(command).action(async (flags: TargetFlags & Whose) => {
    if ((flags.tenant === undefined) === (flags.key === undefined)) throw new Refusal("Give --tenant or --key.", 2);
    const held = await limitsOf(flags, reader(flags, terminal));
    const rows = Object.entries(held).map(([whose, of]) => [whose, textOf(of) || "none"]);
    terminal.print(flags.json ? JSON.stringify(held) : table([["of", "limits"], ...rows]));
  });
}

/** What is set of every subject of the calls, as the gateway lays it over one another. Models have theirs besides. */
async function limitsOf({ tenant, key }: Whose, read: Read): Promise<Readonly<Record<string, Limits>>> {
  const known = key === undefined ? undefined : keyAnswer.parse(await read(`/keys/${segment(key)}`));
  const name = known?.tenant ?? tenant ?? "";
  const { settings } = tenantAnswer.parse(await read(pathOfTenant(name)));
  const { plans, tiers } = terms.parse(await read("/terms"));
  const planName = settings.plan ?? "internal";
  const plan = new Map(Object.entries(plans)).get(planName);
  const tierName = known?.tier ?? plan?.tier ?? "standard";
  const models = Object.entries(settings.models ?? {}).map(([model, of]) => [`tenant ${name}, model ${model}`, of]);
  return {
    [known === undefined ? "each key" : `key ${known.id}`]: { ...plan?.key_limits, ...known?.limits },
    "each user": { ...plan?.user_limits },
    [`tenant ${name}`]: { ...plan?.limits, ...settings.limits },
    ...Object.fromEntries(models),
    [`tier ${tierName}`]: { ...new Map(Object.entries(tiers)).get(tierName)?.limits },
  };
}

const limitNames = Object.keys(limitsSchema.shape);

export function limitsSet({ terminal }: Context): Command {
  const command = newCommand("set", "Set limits of a tenant, a key, a model, a tier, or a tenant's of one model", [
    "ledge limits set --tenant acme requests_per_minute=600 in_flight=default",
    "ledge limits set --tenant acme --model tiny-chat tokens_per_minute=20000",
    "ledge limits set --tier low in_flight=50",
  ])
    .argument("<name=n...>", `a limit, or 'default': ${limitNames.join(", ")}`)
    .option("--tenant <tenant>", "of all its calls")
    .option("--key <id>", "of this key's calls")
    .option("--model <model>", "of everybody's calls of it, or with --tenant of that tenant's")
    .option("--tier <tier>", "of everybody's calls in it");
  return withChangeOptions(command).action(async (pairs: readonly string[], flags: ChangeFlags & Whose) => {
    const { text, ...what } = await settingOf(patchOf(pairs, limitNames), flags, reader(flags, terminal));
    const says = `set the limits of ${text}: ${pairs.join(" ")}`;
    await change({ ...what, what: says }, `The limits of ${text} are set.`, flags, terminal);
  });
}

type Patch = Readonly<Record<string, number | null>>;

async function settingOf(patch: Patch, flags: Whose, read: Read) {
  const { tenant, key, model, tier } = flags;
  const given = [tenant, key, tier, tenant === undefined ? model : undefined].filter((name) => name !== undefined);
  if (given.length !== 1 || (model !== undefined && (key !== undefined || tier !== undefined))) {
    throw new Refusal("Say whose: one of --tenant, --key, --model and --tier, or --tenant with --model.", 2);
  }
  if (tenant !== undefined) {
    const path = pathOfTenant(tenant);
    const json = model === undefined ? { limits: patch } : { models: { [modelNameOf(model)]: patch } };
    const text = model === undefined ? `tenant ${tenant}` : `tenant ${tenant} with ${model}`;
    return { method: "PATCH", path, json, needs: path, text } as const;
  }
  if (key !== undefined) {
    const path = `/keys/${segment(key)}`;
    return { method: "PATCH", path, json: { limits: patch }, needs: path, text: `key ${key}` } as const;
  }
  if (model !== undefined) {
    const path = `${modelPath(modelNameOf(model))}/terms`;
    const before = modelTerms.parse(await read(path));
    const json = { ...before, limits: laidOver(before.limits, patch) };
    return { method: "PUT", path, json, needs: path, text: `model ${model}` } as const;
  }
  const { tiers } = terms.parse(await read("/terms"));
  const before = new Map(Object.entries(tiers)).get(tier ?? "");
  if (before === undefined) throw new Refusal(`There is no tier '${tier}': 'ledge tier list' says which there are.`);
  const json = { ...before, limits: laidOver(before.limits, patch) };
  return { method: "PUT", path: `/tiers/${segment(tier ?? "")}`, json, needs: "/terms", text: `tier ${tier}` } as const;
}

function laidOver(before: Limits | undefined, patch: Patch): object {
  return Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null));
}
