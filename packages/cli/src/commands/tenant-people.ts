import { membersAnswer, projectsAnswer, roles } from "@ledge/contract";
import type { Command } from "commander";
import { confirm } from "../ask/answer-of.ts";
import { said, segment } from "../ask/settings.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { callAdmin } from "../send/admin.ts";
import { membersText, projectsText } from "../tell/tenancy.ts";
import { change } from "./model-change.ts";
import { pathOfTenant } from "./tenant.ts";

/** A tenant's projects and members. */

const whose = ["<tenant>", "whose"] as const;

export function projectList({ terminal }: Context): Command {
  const command = newCommand("list", "List a tenant's projects", ["ledge project list acme"]).argument(...whose);
  return withTargetOptions(command).action(async (tenant: string, { url, json }: TargetFlags) => {
    const path = `${pathOfTenant(tenant)}/projects`;
    const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path });
    terminal.print(json ? JSON.stringify(value) : projectsText(projectsAnswer.parse(value)));
  });
}

export function projectSet({ terminal }: Context): Command {
  const command = newCommand("set", "Make a project, or describe it anew", [
    "ledge project set acme web --description search",
  ])
    .argument(...whose)
    .argument("<project>", "its name")
    .option("--description <text>", "what it is");
  return withChangeOptions(command).action(
    async (tenant: string, project: string, flags: ChangeFlags & { readonly description?: string }) => {
      const path = `${pathOfTenant(tenant)}/projects/${segment(project)}`;
      const json = said({ description: flags.description });
      const what = { what: `set the project ${project} of ${tenant}`, needs: pathOfTenant(tenant) };
      await change({ method: "PUT", path, json, ...what }, `${tenant} has the project ${project}.`, flags, terminal);
    },
  );
}

export function projectRemove({ terminal }: Context): Command {
  const command = newCommand("remove", "Remove a project that has no keys", ["ledge project remove acme web"])
    .argument(...whose)
    .argument("<project>", "which");
  return withChangeOptions(command).action(async (tenant: string, project: string, flags: ChangeFlags) => {
    const path = `${pathOfTenant(tenant)}/projects/${segment(project)}`;
    const what = { what: `remove the project ${project} of ${tenant}`, needs: pathOfTenant(tenant) };
    await change({ method: "DELETE", path, ...what }, `${tenant}'s project ${project} is removed.`, flags, terminal);
  });
}

export function memberList({ terminal }: Context): Command {
  const command = newCommand("list", "List a tenant's members and their roles", ["ledge member list acme"]);
  return withTargetOptions(command.argument(...whose)).action(async (tenant: string, { url, json }: TargetFlags) => {
    const path = `${pathOfTenant(tenant)}/members`;
    const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path });
    terminal.print(json ? JSON.stringify(value) : membersText(membersAnswer.parse(value)));
  });
}

export function memberSet({ terminal }: Context): Command {
  const command = newCommand("set", "Give a member a role; its keys lose what the role does not allow", [
    "ledge member set acme ann@example.com --role developer",
  ])
    .argument(...whose)
    .argument("<user>", "who, as tokens and keys name it")
    .requiredOption("--role <role>", roles.join(", "));
  return withChangeOptions(command).action(
    async (tenant: string, user: string, flags: ChangeFlags & { readonly role: string }) => {
      const path = `${pathOfTenant(tenant)}/members/${segment(user)}`;
      const { role } = flags;
      const what = { what: `make ${user} ${role} of ${tenant}`, needs: pathOfTenant(tenant) };
      await change(
        { method: "PUT", path, json: { role }, ...what },
        `${user} is ${role} of ${tenant}.`,
        flags,
        terminal,
      );
    },
  );
}

export function memberRemove({ terminal }: Context): Command {
  const command = newCommand("remove", "Remove a member, and revoke its keys", [
    "ledge member remove acme ann@example.com",
  ])
    .argument(...whose)
    .argument("<user>", "who")
    .option("--yes", "do not ask");
  return withChangeOptions(command).action(
    async (tenant: string, user: string, flags: ChangeFlags & { readonly yes?: true }) => {
      if (!flags.dryRun)
        await confirm(terminal, `Remove ${user} from ${tenant}, and revoke its keys?`, flags.yes === true);
      const path = `${pathOfTenant(tenant)}/members/${segment(user)}`;
      const what = { what: `remove ${user} from ${tenant}, and revoke its keys`, needs: pathOfTenant(tenant) };
      await change({ method: "DELETE", path, ...what }, `${user} is no member of ${tenant} any more.`, flags, terminal);
    },
  );
}
