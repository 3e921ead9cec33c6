import { Command } from "commander";
import type { Terminal } from "./tell/terminal.ts";

/** A command with the one line that says what it does and at least one line to type. */
export function newCommand(name: string, summary: string, examples: readonly string[]): Command {
  const heading = examples.length === 1 ? "Example" : "Examples";
  return new Command(name)
    .summary(summary)
    .description(`${summary}.`)
    .helpOption("--help", "this text")
    .enablePositionalOptions()
    .addHelpText("after", `\n${heading}:\n${examples.map((line) => `  ${line}`).join("\n")}`);
}

/** What every command gets to work with. */
export interface Context {
  readonly terminal: Terminal;
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
