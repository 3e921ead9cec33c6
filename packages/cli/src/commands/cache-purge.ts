import { cacheKeysAnswer, type PurgeRequest, parse, purgeRequest } from "@ledge/contract";
import type { Command } from "commander";
import { confirm } from "../ask/answer-of.ts";
import { type OwnerFlags, tenantPath } from "../ask/cache-owner.ts";
import { modelNameOf, modelPath, versionPath } from "../ask/model-version.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import { keysText } from "../tell/cache.ts";
import { change } from "./model-change.ts";

interface PurgeFlags extends ChangeFlags, OwnerFlags {
  readonly all?: true;
  readonly tag?: string;
  readonly key?: string;
  readonly version?: string;
  readonly yes?: true;
}

export function cachePurge({ terminal }: Context): Command {
  const command = newCommand("purge", "Have kept answers found no more, everywhere within seconds", [
    "ledge cache purge --tenant acme --tag faq",
    "ledge cache purge --tenant acme --key 0123456789abcdef0123456789abcdef",
    "ledge cache purge --model intent --version 2",
    "ledge cache purge --all",
  ])
    .option("--all", "everything")
    .option("--tenant <tenant>", "what was kept for a tenant")
    .option("--tag <tag>", "of it, what has this tag")
    .option("--key <id>", "of it, the entry that Cache-Status names")
    .option("--model <model>", "what a model answered")
    .option("--version <version>", "of it, what this version answered")
    .option("--yes", "do not ask");
  return withChangeOptions(command).action(async (flags: PurgeFlags) => {
    const json = purgeOf(flags);
    const text = purgeText(json);
    if (isWide(json) && !flags.dryRun) await confirm(terminal, `Purge ${text}?`, flags.yes === true);
    const what = { method: "POST", path: "/cache/purge", json, what: `purge ${text}`, needs: needsOf(json) } as const;
    await change(what, `Purged: ${text}.`, flags, terminal);
  });
}

/** The request that the flags stand for. Throws {@link Refusal}. */
function purgeOf({ all, tenant, tag, key, model, version }: PurgeFlags): PurgeRequest {
  const said = Object.entries({ all, tenant, tag, key, model, version }).filter(([, value]) => value !== undefined);
  const purge = parse(purgeRequest, Object.fromEntries(said));
  if (purge.ok) return purge.value;
  throw new Refusal(
    "Say what: --all, --tenant alone or with one of --tag and --key, or --model alone or with --version. A tag is 1 to 64 " +
      "of A-Z, a-z, 0-9 and ._:@-, a key the 32 hex digits of Cache-Status, a version 1, 2, 3 …",
    2,
  );
}

/** What many callers would miss. */
function isWide(purge: PurgeRequest): boolean {
  return "all" in purge || ("tenant" in purge && !("tag" in purge) && !("key" in purge));
}

function purgeText(purge: PurgeRequest): string {
  if ("all" in purge) return "everything that is kept";
  if ("model" in purge) {
    return `what ${purge.model}${purge.version === undefined ? "" : `@${purge.version}`} answered`;
  }
  if ("tag" in purge) return `what is tagged ${purge.tag} of tenant ${purge.tenant}`;
  return "key" in purge ? `entry ${purge.key} of tenant ${purge.tenant}` : `everything of tenant ${purge.tenant}`;
}

function needsOf(purge: PurgeRequest): string {
  if (!("model" in purge)) return "/cache";
  const model = modelNameOf(purge.model);
  return purge.version === undefined ? modelPath(model) : versionPath({ model, version: purge.version });
}

const whoseKeys = "--tenant <tenant>";

export function cacheKeys({ terminal }: Context): Command {
  const command = newCommand("keys", "List the keys that open a tenant's kept answers, without themselves", [
    "ledge cache keys --tenant acme",
  ]).requiredOption(whoseKeys, "whose keys");
  return withTargetOptions(command).action(async ({ tenant, url, json }: TargetFlags & { readonly tenant: string }) => {
    const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path: keysPath(tenant) });
    terminal.print(json ? JSON.stringify(value) : keysText(tenant, cacheKeysAnswer.parse(value)));
  });
}

export function cacheRotateKey({ terminal }: Context): Command {
  const command = newCommand("rotate-key", "Seal a tenant's answers with a new key; the ones before still open", [
    "ledge cache rotate-key --tenant acme",
  ]).requiredOption(whoseKeys, "whose key");
  return withChangeOptions(command).action(async (flags: ChangeFlags & { readonly tenant: string }) => {
    const { tenant } = flags;
    const path = keysPath(tenant);
    const what = { method: "POST", path: `${path}/rotate`, what: `make a new key for ${tenant}`, needs: path } as const;
    await change(what, `${tenant}'s answers are sealed with a new key.`, flags, terminal);
  });
}

export function cacheDestroyKey({ terminal }: Context): Command {
  const command = newCommand("destroy-key", "Make all that is kept of a tenant unreadable, for good", [
    "ledge cache destroy-key --tenant acme",
  ])
    .requiredOption(whoseKeys, "whose keys")
    .option("--yes", "do not ask");
  return withChangeOptions(command).action(
    async (flags: ChangeFlags & { readonly tenant: string; readonly yes?: true }) => {
      const { tenant } = flags;
      const path = keysPath(tenant);
      if (!flags.dryRun) {
        await confirm(terminal, `Make all that is kept of ${tenant} unreadable for good?`, flags.yes === true);
      }
      const what = { method: "DELETE", path, what: `destroy the keys of ${tenant} for good`, needs: path } as const;
      await change(what, `The keys of ${tenant} are destroyed: what was kept cannot be read again.`, flags, terminal);
    },
  );
}

function keysPath(tenant: string): string {
  return `${tenantPath(tenant)}/cache/keys`;
}
