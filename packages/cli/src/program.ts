import type { Command } from "commander";
import { type Context, newCommand } from "./command.ts";
import { audit } from "./commands/audit.ts";
import { blockLift, blockList } from "./commands/block.ts";
import { cacheSet, cacheShow } from "./commands/cache.ts";
import { cacheDestroyKey, cacheKeys, cachePurge, cacheRotateKey } from "./commands/cache-purge.ts";
import { keyCreate, keyRevoke } from "./commands/key.ts";
import { modelAdd, modelCheck } from "./commands/model-add.ts";
import * as change from "./commands/model-change.ts";
import { modelMeasure } from "./commands/model-measure.ts";
import { modelList, modelShow } from "./commands/model-read.ts";
import { modelDistil, modelPrune, modelQuantize } from "./commands/model-recipe.ts";
import * as rollout from "./commands/rollout.ts";

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
    .addCommand(group("key", "Issue and revoke API keys", "ledge key create acme --name web", [keyCreate, keyRevoke]))
    .addCommand(group("block", "List and end blocks of bad callers", "ledge block list", [blockList, blockLift]))
    .addCommand(group("cache", "Set, show and purge the answer cache", "ledge cache show", cacheCommands))
    .addCommand(audit(context))
    .addHelpText("after", environment);
  everyCommand(ledge, (command) => settle(command, context));
  return ledge;
}

const modelCommands = [
  modelAdd,
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

const environment = `
Environment:
  LEDGE_URL        the deployment (default http://127.0.0.1:8787)
  LEDGE_ADMIN_KEY  the operator's key (default, for this machine: that of 'npm start', from .ledge/secrets.json)
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
