import { CommanderError } from "commander";
import { program } from "./program.ts";
import { Refusal } from "./refusal.ts";
import { realTerminal, type Terminal } from "./tell/terminal.ts";

/**
 * The `ledge` command line. Resolves with the exit code: 0 done, 1 failed, 2 a command line that cannot be understood.
 *
 * @param args without the program's own name.
 */
export async function main(args: readonly string[], terminal: Terminal = realTerminal()): Promise<number> {
  try {
    await program({ terminal }).parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (terminal.interactive) terminal.rewrite("");
    if (!(error instanceof Refusal)) throw error;
    terminal.say(error.message);
    return error.exitCode;
  }
}
