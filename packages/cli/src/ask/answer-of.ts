import { Refusal } from "../refusal.ts";
import type { Terminal } from "../tell/terminal.ts";

export interface Question {
  /** What to type in place of an answer. */
  readonly flag: string;
  readonly question: string;
  /** What an empty answer stands for. */
  readonly proposal: string;
  /** Take the proposal without asking. */
  readonly yes: boolean;
}

/** Asks where somebody is there to answer; else the flag is needed, or `--yes`. Throws {@link Refusal}. */
export async function answerOf(terminal: Terminal, { flag, question, proposal, yes }: Question): Promise<string> {
  if (yes) return proposal;
  if (!terminal.interactive) {
    throw new Refusal(`${flag} is missing: give it, or --yes to take '${proposal}'.`, 2);
  }
  const answer = await terminal.ask(`${question} [${proposal}]`);
  return answer === "" ? proposal : answer;
}

/** A yes or no where somebody is there; else `--yes` is needed. Throws {@link Refusal} for a no. */
export async function confirm(terminal: Terminal, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!terminal.interactive) throw new Refusal(`${question} Give --yes to say so.`, 2);
  if (!/^y(?:es)?$/i.test(await terminal.ask(`${question} [y/N]`))) throw new Refusal("Nothing was changed.");
}
