import { modelTerms, type Plan, price, type Terms, terms } from "@ledge/contract";
import type { Command } from "commander";
import { modelNameOf, modelPath } from "../ask/model-version.ts";
import {
  type NumberFlags,
  numberOf,
  numbersOf,
  patched,
  patchOf,
  said,
  segment,
  withLimitOption,
  withQuotaOption,
} from "../ask/settings.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, collect, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import type { Terminal } from "../tell/terminal.ts";
import { plansText, pricesText, tiersText } from "../tell/terms.ts";
import { change } from "./model-change.ts";

/** Plans, tiers and prices: what the deployment's terms are. */

async function termsAt(flags: TargetFlags, terminal: Terminal): Promise<Terms> {
  const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path: "/terms" });
  return terms.parse(value);
}

function listing(summary: string, example: string, part: (known: Terms) => unknown, text: (known: Terms) => string) {
  return ({ terminal }: Context): Command =>
    withTargetOptions(newCommand(example.split(" ")[2] ?? "", summary, [example])).action(
      async (flags: TargetFlags) => {
        const known = await termsAt(flags, terminal);
        terminal.print(flags.json ? JSON.stringify(part(known)) : text(known));
      },
    );
}

export const planList = listing("List plans and what they allow", "ledge plan list", ({ plans }) => plans, plansText);
export const tierList = listing("List tiers and their limits", "ledge tier list", ({ tiers }) => tiers, tiersText);
export const priceList = listing(
  "List what calls cost, in micro-cents",
  "ledge price list",
  ({ currency, price: usual, models }) => ({ currency, price: usual, models }),
  pricesText,
);

interface PlanFlags extends ChangeFlags, NumberFlags {
  readonly tier?: string;
  readonly keyLimit?: readonly string[];
  readonly userLimit?: readonly string[];
  readonly notifyAt?: string;
  readonly weight?: string;
}

export function planSet({ terminal }: Context): Command {
  const command = newCommand("set", "Make a plan, or change it; the rest of it stays", [
    "ledge plan set pro --tier high --limit requests_per_minute=6000 --quota calls_per_month=1000000",
  ])
    .argument("<plan>", "its name")
    .option("--tier <tier>", "of calls under it")
    .option("--key-limit <name=n>", "of each key that has none of its own", collect)
    .option("--user-limit <name=n>", "of each user", collect)
    .option("--notify-at <shares>", "shares of a quota at which an event is raised, as in 0.8,1")
    .option("--weight <n>", "its tenants' share under overload, against others' 1");
  return withChangeOptions(withQuotaOption(withLimitOption(command))).action(async (name: string, flags: PlanFlags) => {
    const { plans } = await termsAt(flags, terminal);
    const before: Plan = new Map(Object.entries(plans)).get(name) ?? { tier: "standard" };
    const { limits, quotas } = numbersOf(flags);
    const json = {
      ...before,
      ...patched(
        {
          tier: flags.tier,
          weight: numberOf(flags.weight),
          notify_at: flags.notifyAt?.split(",").map(Number),
          limits: limits && merged(before.limits, limits),
          quotas: quotas && merged(before.quotas, quotas),
          key_limits: flags.keyLimit && merged(before.key_limits, numbersOf({ limit: flags.keyLimit }).limits ?? {}),
          user_limits:
            flags.userLimit && merged(before.user_limits, numbersOf({ limit: flags.userLimit }).limits ?? {}),
        },
        "ledge plan set",
      ),
    };
    const what = `set the plan ${name} to ${JSON.stringify(json)}`;
    await change(
      { method: "PUT", path: `/plans/${segment(name)}`, json, what, needs: "/terms" },
      `The plan ${name} is set.`,
      flags,
      terminal,
    );
  });
}

export function tierSet({ terminal }: Context): Command {
  const command = newCommand("set", "Make a tier, or change it; the rest of it stays", [
    "ledge tier set high --priority 2 --limit in_flight=500",
  ])
    .argument("<tier>", "its name")
    .option("--priority <n>", "0 is first, 9 last");
  return withChangeOptions(withLimitOption(command)).action(
    async (name: string, flags: ChangeFlags & NumberFlags & { readonly priority?: string }) => {
      const { tiers } = await termsAt(flags, terminal);
      const before = new Map(Object.entries(tiers)).get(name) ?? { priority: 5 };
      const { limits } = numbersOf(flags);
      const changed = { priority: numberOf(flags.priority), limits: limits && merged(before.limits, limits) };
      const json = { ...before, ...patched(changed, "ledge tier set") };
      const what = `set the tier ${name} to ${JSON.stringify(json)}`;
      await change(
        { method: "PUT", path: `/tiers/${segment(name)}`, json, what, needs: "/terms" },
        `The tier ${name} is set.`,
        flags,
        terminal,
      );
    },
  );
}

function merged(before: object | undefined, patch: object): object {
  return Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null));
}

function removal(what: "plan" | "tier") {
  return ({ terminal }: Context): Command =>
    withChangeOptions(
      newCommand("remove", `Remove a ${what} that nobody has`, [`ledge ${what} remove old`]).argument(
        `<${what}>`,
        "which",
      ),
    ).action(async (name: string, flags: ChangeFlags) => {
      const path = `/${what}s/${segment(name)}`;
      await change(
        { method: "DELETE", path, what: `remove the ${what} ${name}`, needs: "/terms" },
        `The ${what} ${name} is removed.`,
        flags,
        terminal,
      );
    });
}

export const planRemove = removal("plan");
export const tierRemove = removal("tier");

interface PriceFlags extends ChangeFlags, NumberFlags {
  readonly model?: string;
  readonly currency?: string;
  readonly tokensPerByte?: string;
  readonly reset?: true;
}

const priceNames = Object.keys(price.shape);

export function priceSet({ terminal }: Context): Command {
  const command = newCommand("set", "Set what calls cost, and what a model allows; the rest stays", [
    "ledge price set per_million_output_tokens=1000000000 --currency EUR",
    "ledge price set per_call=2000 cache_hit_share=0.1 --model intent",
    "ledge price set --model intent --limit in_flight=64",
    "ledge price set --model intent --reset",
  ])
    .argument("[name=n...]", `in micro-cents, or 'default': ${priceNames.join(", ")}`)
    .option("--model <model>", "of this model alone (default: of all that have no price of their own)")
    .option("--currency <code>", "three letters, as in EUR")
    .option("--tokens-per-byte <n>", "of a model: the most tokens that a byte of a prompt becomes")
    .option("--reset", "take what is the model's own away");
  return withChangeOptions(withLimitOption(command)).action(async (pairs: readonly string[], flags: PriceFlags) => {
    const patch = pairs.length === 0 ? undefined : patchOf(pairs, priceNames);
    if (flags.model !== undefined) return await setModel(flags.model, patch, flags, terminal);
    if (flags.reset || flags.limit !== undefined || flags.tokensPerByte !== undefined) {
      throw new Refusal("--reset, --limit and --tokens-per-byte are a model's: give --model.", 2);
    }
    const { currency, price: before } = await termsAt(flags, terminal);
    const changed = patched({ currency: flags.currency, price: patch && merged(before, patch) }, "ledge price set");
    const json = { currency, price: before, ...changed };
    const what = `set the prices to ${JSON.stringify(json)}`;
    await change(
      { method: "PUT", path: "/prices", json, what, needs: "/terms" },
      "The prices are set.",
      flags,
      terminal,
    );
  });
}

async function setModel(name: string, patch: object | undefined, flags: PriceFlags, terminal: Terminal): Promise<void> {
  if (flags.currency !== undefined) throw new Refusal("The currency is one for all models.", 2);
  const model = modelNameOf(name);
  const path = `${modelPath(model)}/terms`;
  if (flags.reset) {
    await change(
      { method: "DELETE", path, what: `take the terms of ${model} away`, needs: path },
      `${model} has no terms of its own.`,
      flags,
      terminal,
    );
    return;
  }
  const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path });
  const before = modelTerms.parse(value);
  const { limits } = numbersOf(flags);
  const changed = patched(
    said({
      price: patch && merged(before.price, patch),
      limits: limits && merged(before.limits, limits),
      tokens_per_byte_max: numberOf(flags.tokensPerByte),
    }),
    "ledge price set",
  );
  const json = merged({ ...before, ...changed }, {});
  const what = `set the terms of ${model} to ${JSON.stringify(json)}`;
  await change({ method: "PUT", path, json, what, needs: path }, `${model}'s terms are set.`, flags, terminal);
}
