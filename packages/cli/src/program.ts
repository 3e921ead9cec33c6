import type { Command } from "commander";
import { type Context, newCommand } from "./command.ts";
import { modelAdd, modelCheck } from "./commands/model-add.ts";
import { modelMeasure } from "./commands/model-measure.ts";

/** Every command there is: what `ledge --help` prints. */
export function program(context: Context): Command {
  const ledge = newCommand("ledge", "Your own models on the edge: add, measure, load, split, roll back", [
    "ledge model add model.onnx --name sentiment --task text-classification",
    "ledge rollout start sentiment 2",
  ]);
  const model = newCommand("model", "Bring, measure and operate models", ["ledge model list"]);
  for (const command of [modelAdd, modelCheck, modelMeasure]) model.addCommand(command(context));
  ledge.addCommand(model);
  everyCommand(ledge, (command) => settle(command, context));
  return ledge;
}

/** The command itself and all below it. */
export function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const inner of command.commands) everyCommand(inner, visit);
}

/** Errors are values of this program, not ends of the process, and go where the terminal says. */
function settle(command: Command, { terminal }: Context): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(`Type '${pathOf(command)} --help' for what it takes.`)
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, "")),
    });
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
