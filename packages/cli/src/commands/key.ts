import { keyAnswer, keysAnswer, type NewKeyAnswer, newCertificateRequest, newKeyRequest } from "@ledge/contract";
import type { Command } from "commander";
import { type KeyFieldFlags, keyFieldsOf, withKeyFields } from "../ask/key-fields.ts";
import { patched, said, segment } from "../ask/settings.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import { makeChange } from "../send/change.ts";
import { keysText, keyText } from "../tell/tenancy.ts";
import type { Terminal } from "../tell/terminal.ts";
import { change } from "./model-change.ts";

interface CreateFlags extends TargetFlags, KeyFieldFlags {
  readonly name: string;
  readonly project?: string;
  readonly user?: string;
  readonly requestsPerMinute?: string;
}

const example = "0123456789abcdef01234567";
const which = ["<id>", "the key's id"] as const;
const pathOfKey = (id: string) => `/keys/${segment(id)}`;

export function keyCreate({ terminal }: Context): Command {
  const command = newCommand("create", "Issue an API key; it is shown this once", [
    "ledge key create acme --name web --requests-per-minute 600",
    "ledge key create acme --name ci --scope infer:intent,team-* --expires 2027-01-01T00:00:00Z --ip 192.0.2.0/24",
  ])
    .argument("<tenant>", "whose key it is")
    .requiredOption("--name <name>", "what it is for")
    .option("--project <project>", "of the tenant's")
    .option("--user <user>", "the member whose key it is")
    .option("--requests-per-minute <n>", "its rate limit (default: its plan's, else the deployment's)");
  return withTargetOptions(withKeyFields(command)).action(async (tenant: string, flags: CreateFlags) => {
    const { name, project, user, requestsPerMinute: limit } = flags;
    const rate = limit === undefined ? undefined : Number(limit);
    const json = { tenant, ...said({ name, project, user, requests_per_minute: rate }), ...keyFieldsOf(flags) };
    const request = newKeyRequest.safeParse(json);
    if (!request.success) {
      const faults = request.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
      throw new Refusal(`That makes no key. ${faults.join(". ")}.`, 2);
    }
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "POST", path: "/keys", json });
    tellOnce(value as NewKeyAnswer, flags, terminal);
  });
}

export function keyCertificate({ terminal }: Context): Command {
  const command = newCommand("certificate", "Make a client certificate a credential", [
    `ledge key certificate acme --name ci --sha256 ${"ab".repeat(32)}`,
  ])
    .argument("<tenant>", "whose it is")
    .requiredOption("--name <name>", "what it is for")
    .requiredOption("--sha256 <hex>", "SHA-256 of the certificate: openssl x509 -in cert.pem -outform der | sha256sum");
  return withChangeOptions(withKeyFields(command)).action(
    async (tenant: string, flags: CreateFlags & ChangeFlags & { readonly sha256: string }) => {
      const sha256 = flags.sha256.replaceAll(":", "").toLowerCase();
      const json = { tenant, name: flags.name, sha256, ...keyFieldsOf(flags) };
      if (!newCertificateRequest.safeParse(json).success) {
        throw new Refusal("--sha256 takes 64 hex digits; a tenant is letters, digits, '.', '_' and '-'.", 2);
      }
      const what = `make the certificate ${sha256} a credential of ${tenant}`;
      const made = await makeChange(
        { method: "POST", path: "/certificates", json, what, needs: "/keys" },
        flags,
        terminal,
      );
      if (made === undefined) return;
      const { id } = keyAnswer.parse(made);
      terminal.print(flags.json ? JSON.stringify(made) : id);
      terminal.say(`'ledge key revoke ${id}' ends it.`);
    },
  );
}

function tellOnce(answer: NewKeyAnswer, flags: TargetFlags, terminal: Terminal): void {
  terminal.print(flags.json ? JSON.stringify(answer) : answer.key);
  terminal.say(`Keep it: it is not shown again. 'ledge key revoke ${answer.id}' ends it.`);
}

interface ListFlags extends TargetFlags {
  readonly tenant?: string;
  readonly project?: string;
  readonly user?: string;
  readonly revoked?: true;
  readonly after?: string;
  readonly limit?: string;
}

export function keyList({ terminal }: Context): Command {
  const command = newCommand("list", "List API keys, without themselves", [
    "ledge key list --tenant acme",
    "ledge key list --tenant acme --user ann@example.com --revoked",
  ])
    .option("--tenant <tenant>", "only this one's")
    .option("--project <project>", "only this one's")
    .option("--user <user>", "only this member's")
    .option("--revoked", "revoked ones too")
    .option("--after <id>", "those after this one")
    .option("--limit <n>", "at most so many");
  return withTargetOptions(command).action(async ({ url, json, ...filters }: ListFlags) => {
    const query = new URLSearchParams(
      Object.entries(said({ ...filters })).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const { value } = await callAdmin(targetOf(url, terminal), { method: "GET", path: `/keys?${query}` });
    terminal.print(json ? JSON.stringify(value) : keysText(keysAnswer.parse(value)));
  });
}

export function keyShow({ terminal }: Context): Command {
  const command = newCommand("show", "Show one API key, without itself", [`ledge key show ${example}`]);
  return withTargetOptions(command.argument(...which)).action(async (id: string, flags: TargetFlags) => {
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path: pathOfKey(id) });
    terminal.print(flags.json ? JSON.stringify(value) : keyText(keyAnswer.parse(value)));
  });
}

export function keySet({ terminal }: Context): Command {
  const command = newCommand("set", "Change what a key may do; the rest stays", [
    `ledge key set ${example} --limit requests_per_minute=60 --expires default`,
  ])
    .argument(...which)
    .option("--name <name>", "what it is for");
  return withChangeOptions(withKeyFields(command))
    .addHelpText("after", "\n'default' in place of a value takes it away.")
    .action(async (id: string, flags: ChangeFlags & KeyFieldFlags & { readonly name?: string }) => {
      const json = patched({ name: flags.name, ...keyFieldsOf(flags) }, "ledge key set");
      const path = pathOfKey(id);
      const what = { method: "PATCH", path, json, what: `set ${JSON.stringify(json)} of ${id}`, needs: path } as const;
      await change(what, `The key ${id} is changed; gateways follow within seconds.`, flags, terminal);
    });
}

export function keyRotate({ terminal }: Context): Command {
  const command = newCommand("rotate", "Issue a key in place of another, which goes on for a while", [
    `ledge key rotate ${example} --overlap 3600`,
  ])
    .argument(...which)
    .option("--overlap <seconds>", "how long the old one goes on (default 86400)");
  return withChangeOptions(command).action(async (id: string, flags: ChangeFlags & { readonly overlap?: string }) => {
    const overlap = flags.overlap === undefined ? undefined : Number(flags.overlap);
    if (Number.isNaN(overlap)) throw new Refusal("--overlap takes seconds.", 2);
    const json = said({ overlap_s: overlap });
    const path = pathOfKey(id);
    const what = {
      method: "POST",
      path: `${path}/rotate`,
      json,
      what: `issue a key in place of ${id}`,
      needs: path,
    } as const;
    const made = await makeChange(what, flags, terminal);
    if (made !== undefined) tellOnce(made as NewKeyAnswer, flags, terminal);
  });
}

export function keyRevoke({ terminal }: Context): Command {
  const command = newCommand("revoke", "End an API key, everywhere within seconds", [`ledge key revoke ${example}`]);
  return withChangeOptions(command.argument(...which)).action(async (id: string, flags: ChangeFlags) => {
    const path = pathOfKey(id);
    const what = { method: "DELETE", path, what: `end the key ${id}`, needs: path } as const;
    await change(what, `The key ${id} is revoked.`, flags, terminal);
  });
}
