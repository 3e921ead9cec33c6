import { type NewKeyAnswer, newKeyRequest } from "@ledge/contract";
import type { Command } from "commander";
import { targetOf } from "../ask/target.ts";
import { type TargetFlags, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";

interface CreateFlags extends TargetFlags {
  readonly name: string;
  readonly requestsPerMinute?: string;
}

export function keyCreate({ terminal }: Context): Command {
  const command = newCommand("create", "Issue an API key; it is shown this once", [
    "ledge key create acme --name web --requests-per-minute 600",
  ])
    .argument("<tenant>", "whose key it is")
    .requiredOption("--name <name>", "what it is for")
    .option("--requests-per-minute <n>", "its rate limit (default: the deployment's)");
  return withTargetOptions(command).action(async (tenant: string, flags: CreateFlags) => {
    const limit = flags.requestsPerMinute;
    const json = { tenant, name: flags.name, ...(limit === undefined ? {} : { requests_per_minute: Number(limit) }) };
    if (!newKeyRequest.safeParse(json).success) {
      throw new Refusal("A tenant is letters, digits, '.', '_' and '-'; --requests-per-minute a whole number.", 2);
    }
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "POST", path: "/keys", json });
    const { id, key } = value as NewKeyAnswer;
    terminal.print(flags.json ? JSON.stringify(value) : key);
    terminal.say(`Keep it: it is not shown again. 'ledge key revoke ${id}' ends it.`);
  });
}

export function keyRevoke({ terminal }: Context): Command {
  const command = newCommand("revoke", "End an API key, everywhere within seconds", [
    "ledge key revoke 0123456789abcdef01234567",
  ]);
  return withTargetOptions(command.argument("<id>", "the key's id")).action(async (id: string, flags: TargetFlags) => {
    const path = `/keys/${encodeURIComponent(id)}`;
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "DELETE", path });
    terminal.print(flags.json ? JSON.stringify(value ?? {}) : `The key ${id} is revoked.`);
  });
}
