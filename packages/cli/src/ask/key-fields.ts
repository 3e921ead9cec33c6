import { actions } from "@ledge/contract";
import type { Command } from "commander";
import { collect } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { type NumberFlags, numbersOf, said, settingOf, withLimitOption } from "./settings.ts";

/** The flags that say what a key may do, each a member of its request. */
export interface KeyFieldFlags extends NumberFlags {
  readonly scope?: readonly string[];
  readonly tier?: string;
  readonly expires?: string;
  readonly ip?: readonly string[];
}

export function withKeyFields(command: Command): Command {
  const made = command
    .option(
      "--scope <actions:models>",
      `what it may do, as in infer,chat:intent,team-*: ${actions.join(", ")}`,
      collect,
    )
    .option("--tier <tier>", "in place of its plan's")
    .option("--expires <time>", "RFC 3339, as in 2027-01-01T00:00:00Z")
    .option("--ip <block>", "from where it may be used, as in 192.0.2.0/24", collect);
  return withLimitOption(made);
}

export function keyFieldsOf(flags: KeyFieldFlags): Readonly<Record<string, unknown>> {
  const ips = flags.ip?.length === 1 ? (settingOf(flags.ip[0]) === null ? null : flags.ip) : flags.ip;
  return said({
    scopes: flags.scope?.map(scopeOf),
    tier: settingOf(flags.tier),
    expires_at: settingOf(flags.expires),
    ips,
    ...numbersOf(flags),
  });
}

/** Throws {@link Refusal}. */
function scopeOf(text: string): object {
  const [what = "", models] = text.split(":", 2);
  if (models !== undefined && models !== "") return { actions: what.split(","), models: models.split(",") };
  throw new Refusal(`'${text}' is no scope: write actions:models, as in infer,embed:intent or chat:*.`, 2);
}
