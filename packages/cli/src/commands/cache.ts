import { cacheAnswer, cachePolicy } from "@ledge/contract";
import type { Command } from "commander";
import { type OwnerFlags, ownerOf } from "../ask/cache-owner.ts";
import { changedPolicy, type PolicyFlags, withPolicyOptions } from "../ask/cache-policy.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import { cacheText, policiesText } from "../tell/cache.ts";
import { change } from "./model-change.ts";

const modelFlag = "--model <model>";
const tenantFlag = "--tenant <tenant>";

export function cacheShow({ terminal }: Context): Command {
  const command = newCommand("show", "Show the cache's policies, what was purged and what changed", [
    "ledge cache show",
    "ledge cache show --model intent",
  ])
    .option(modelFlag, "only what is set for this model")
    .option(tenantFlag, "only what is set for this tenant");
  return withTargetOptions(command).action(async (flags: TargetFlags & OwnerFlags) => {
    const owner = ownerOf(flags);
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path: owner?.path ?? "/cache" });
    if (flags.json) terminal.print(JSON.stringify(value));
    else if (owner === undefined) terminal.print(cacheText(cacheAnswer.parse(value)));
    else terminal.print(policiesText([[owner.text, cachePolicy.parse(value)]]));
  });
}

export function cacheSet({ terminal }: Context): Command {
  const command = newCommand("set", "Set what the cache does for a model or a tenant; the rest of its policy stays", [
    "ledge cache set --model intent --ttl 600 --stale-if-error 3600",
    "ledge cache set --tenant acme --off",
    "ledge cache set --model intent --ttl default",
    "ledge cache set --model intent --reset",
  ])
    .option(modelFlag, "whose policy it is")
    .option(tenantFlag, "whose policy it is: it goes before a model's")
    .option("--reset", "take the whole policy away");
  const withPolicy = withPolicyOptions(command).addHelpText(
    "after",
    "\n'default' in place of a value leaves it to the model, then to the deployment.",
  );
  return withChangeOptions(withPolicy).action(
    async (flags: ChangeFlags & OwnerFlags & PolicyFlags & { readonly reset?: true }) => {
      const owner = ownerOf(flags);
      if (owner === undefined) throw new Refusal("Say whose: --model or --tenant.", 2);
      const { path, text } = owner;
      if (flags.reset) {
        const what = { method: "DELETE", path, what: `take the policy of ${text} away`, needs: path } as const;
        await change(what, `${text} has no policy of its own.`, flags, terminal);
        return;
      }
      const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path });
      const before = cachePolicy.parse(value);
      const json = changedPolicy(before, flags);
      if (JSON.stringify(json) === JSON.stringify(before)) {
        throw new Refusal(`That changes nothing of ${text}: 'ledge cache set --help' says what can be set.`, 2);
      }
      const said = `set the policy of ${text} from ${JSON.stringify(before)} to ${JSON.stringify(json)}`;
      const done = policiesText([[text, json]]);
      await change({ method: "PUT", path, json, what: said, needs: path }, done, flags, terminal);
    },
  );
}
