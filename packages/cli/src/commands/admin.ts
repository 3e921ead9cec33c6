import { adminScopes, adminsAnswer, type NewAdminAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { said, segment } from "../ask/settings.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { callAdmin } from "../send/admin.ts";
import { adminsText } from "../tell/tenancy.ts";
import { change } from "./model-change.ts";

/** The operator's own credentials. */

export function adminCreate({ terminal }: Context): Command {
  const command = newCommand("create", "Make a credential of the operator's; it is shown this once", [
    "ledge admin create ci --scopes models:read,models:write --expires 2027-01-01T00:00:00Z",
  ])
    .argument("<name>", "what the audit calls it")
    .requiredOption("--scopes <scopes>", `of yours: ${adminScopes.join(", ")}`)
    .option("--expires <time>", "RFC 3339");
  return withTargetOptions(command).action(
    async (name: string, flags: TargetFlags & { readonly scopes: string; readonly expires?: string }) => {
      const json = { name, scopes: flags.scopes.split(","), ...said({ expires_at: flags.expires }) };
      const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "POST", path: "/admins", json });
      terminal.print(flags.json ? JSON.stringify(value) : (value as NewAdminAnswer).key);
      terminal.say(`Keep it as LEDGE_ADMIN_KEY: it is not shown again. 'ledge admin revoke ${name}' ends it.`);
    },
  );
}

export function adminList({ terminal }: Context): Command {
  const command = newCommand("list", "List the operator's credentials, without themselves", ["ledge admin list"]);
  return withTargetOptions(command).action(async ({ url, json }: TargetFlags) => {
    const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path: "/admins" });
    terminal.print(json ? JSON.stringify(value) : adminsText(adminsAnswer.parse(value)));
  });
}

export function adminRevoke({ terminal }: Context): Command {
  const command = newCommand("revoke", "End a credential of the operator's, from the next request on", [
    "ledge admin revoke ci",
  ]);
  return withChangeOptions(command.argument("<name>", "which")).action(async (name: string, flags: ChangeFlags) => {
    const what = { what: `end the credential ${name}`, needs: "/admins" };
    await change(
      { method: "DELETE", path: `/admins/${segment(name)}`, ...what },
      `${name} is revoked.`,
      flags,
      terminal,
    );
  });
}
