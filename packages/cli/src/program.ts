import type { Command } from "commander";
import { type Context, newCommand } from "./command.ts";
import { adminCreate, adminList, adminRevoke } from "./commands/admin.ts";
import { audit } from "./commands/audit.ts";
import { blockLift, blockList } from "./commands/block.ts";
import { cacheSet, cacheShow } from "./commands/cache.ts";
import { cacheDestroyKey, cacheKeys, cachePurge, cacheRotateKey } from "./commands/cache-purge.ts";
import * as key from "./commands/key.ts";
import { ledgerEvents, ledgerReconcile } from "./commands/ledger.ts";
import { limitsSet, limitsShow } from "./commands/limits.ts";
import { modelAdd, modelCheck } from "./commands/model-add.ts";
import { modelAttach } from "./commands/model-attach.ts";
import * as change from "./commands/model-change.ts";
import { modelMeasure } from "./commands/model-measure.ts";
import { modelList, modelShow } from "./commands/model-read.ts";
import { modelDistil, modelPrune, modelQuantize } from "./commands/model-recipe.ts";
import * as rollout from "./commands/rollout.ts";
import * as tenant from "./commands/tenant.ts";
import * as people from "./commands/tenant-people.ts";
import * as terms from "./commands/terms.ts";
import { usage } from "./commands/usage.ts";

/** Every command there is: what `ledge --help` prints. */
export function program(context: Context): Command {
  const group = (name: string, summary: string, example: string, commands: readonly ((of: Context) => Command)[]) => {
    const made = newCommand(name, summary, [example]);
    for (const command of commands) made.addCommand(command(context));
    return made;
  };
  const ledge = newCommand("ledge", "Your own models on the edge: bring, measure, load, split, roll back", [
    "ledge model add sentiment.onnx --task text-classification --tokenizer tokenizer.json --labels bad,good",
    "ledge rollout start sentiment@2",
    "ledge rollout status sentiment",
  ])
    .addCommand(group("model", "Bring, measure and operate models", "ledge model list", modelCommands))
    .addCommand(group("rollout", "Move callers between versions", "ledge rollout status intent", rolloutCommands))
    .addCommand(group("tenant", "Make, change and end tenants", "ledge tenant create acme --plan pro", tenantCommands))
    .addCommand(group("project", "A tenant's projects", "ledge project list acme", projectCommands))
    .addCommand(group("member", "A tenant's members and their roles", "ledge member list acme", memberCommands))
    .addCommand(group("key", "Issue, change, rotate and revoke API keys", "ledge key list", keyCommands))
    .addCommand(group("limits", "What callers may use", "ledge limits show --tenant acme", [limitsShow, limitsSet]))
    .addCommand(group("plan", "Plans: limits and quotas of tenants", "ledge plan list", planCommands))
    .addCommand(group("tier", "Tiers: who comes first", "ledge tier list", tierCommands))
    .addCommand(group("price", "What calls cost", "ledge price list", [terms.priceList, terms.priceSet]))
    .addCommand(group("admin", "The operator's own credentials", "ledge admin list", adminCommands))
    .addCommand(group("block", "List and end blocks of bad callers", "ledge block list", [blockList, blockLift]))
    .addCommand(group("cache", "Set, show and purge the answer cache", "ledge cache show", cacheCommands))
    .addCommand(usage(context))
    .addCommand(group("ledger", "Hold ledgers against the origin", "ledge ledger reconcile acme", ledgerCommands))
    .addCommand(audit(context))
    .addHelpText("after", environment);
  everyCommand(ledge, (command) => settle(command, context));
  return ledge;
}

const modelCommands = [
  modelAdd,
  modelAttach,
  modelCheck,
  modelMeasure,
  modelList,
  modelShow,
  change.modelLoad,
  change.modelUnload,
  change.modelRemove,
  change.modelAlias,
  change.modelPolicy,
  change.modelPromote,
  change.modelRollback,
  modelQuantize,
  modelPrune,
  modelDistil,
];

const rolloutCommands = [
  rollout.rolloutStart,
  rollout.rolloutStatus,
  rollout.rolloutPromote,
  rollout.rolloutRollback,
  rollout.rolloutStop,
];

const cacheCommands = [cacheShow, cacheSet, cachePurge, cacheKeys, cacheRotateKey, cacheDestroyKey];

const ledgerCommands = [ledgerReconcile, ledgerEvents];
const tenantCommands = [
  tenant.tenantCreate,
  tenant.tenantList,
  tenant.tenantShow,
  tenant.tenantSet,
  tenant.tenantSuspend,
  tenant.tenantResume,
  tenant.tenantDelete,
  tenant.tenantWebhook,
];

const projectCommands = [people.projectList, people.projectSet, people.projectRemove];
const memberCommands = [people.memberList, people.memberSet, people.memberRemove];
const keyCommands = [
  key.keyCreate,
  key.keyCertificate,
  key.keyList,
  key.keyShow,
  key.keySet,
  key.keyRotate,
  key.keyRevoke,
];
const planCommands = [terms.planList, terms.planSet, terms.planRemove];
const tierCommands = [terms.tierList, terms.tierSet, terms.tierRemove];
const adminCommands = [adminCreate, adminList, adminRevoke];

const environment = `
Environment:
  LEDGE_URL        the deployment (default http://127.0.0.1:8787)
  LEDGE_ADMIN_KEY  an operator's key (default, for this machine: that of 'npm start', from .ledge/secrets.json)
  LEDGE_PYTHON     the Python that runs recipes

Exit codes: 0 done, 1 failed, 2 a command line that cannot be understood.`;

/** The command itself and all below it. */
export function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const inner of command.commands) everyCommand(inner, visit);
}

/** Errors are values of this program, not ends of the process, and go where the terminal says. */
function settle(command: Command, { terminal }: Context): void {
  command
    .exitOverride()
    .showHelpAfterError(`Type '${pathOf(command)} --help' for what it takes.`)
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, "")),
    });
  if (command.commands.length > 0) command.helpCommand(false);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
