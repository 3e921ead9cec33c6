import { blocksAnswer, liftAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { targetOf } from "../ask/target.ts";
import { type TargetFlags, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { callAdmin } from "../send/admin.ts";
import { blocksText } from "../tell/blocks.ts";

export function blockList({ terminal }: Context): Command {
  const command = newCommand("list", "List addresses and callers that are kept out for a while, and why", [
    "ledge block list",
    "ledge block list --all",
  ]).option("--all", "also those whose block has ended");
  return withTargetOptions(command).action(async (flags: TargetFlags & { readonly all?: true }) => {
    const path = flags.all ? "/blocks?all=true" : "/blocks";
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path });
    terminal.print(flags.json ? JSON.stringify(value) : blocksText(blocksAnswer.parse(value)));
  });
}

export function blockLift({ terminal }: Context): Command {
  const command = newCommand("lift", "End a block, everywhere within seconds", [
    "ledge block lift 203.0.113.7",
    "ledge block lift 0123456789abcdef01234567",
  ]).argument("<who>", "an address, a key's id, or a subject as it is listed");
  return withTargetOptions(command).action(async (who: string, flags: TargetFlags) => {
    const target = targetOf(flags.url, terminal);
    const { value } = await callAdmin(target, { method: "POST", path: "/blocks/lift", json: { of: who } });
    terminal.print(flags.json ? JSON.stringify(value) : `${liftAnswer.parse(value).lifted} is no longer blocked.`);
  });
}
