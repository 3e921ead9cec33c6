import { targetOf } from "../ask/target.ts";
import type { ChangeFlags } from "../ask/target-options.ts";
import type { Terminal } from "../tell/terminal.ts";
import { type AdminCall, callAdmin } from "./admin.ts";

export interface Change extends AdminCall {
  /** What it does, as a sentence goes on after "This would": `remove intent@2`. */
  readonly what: string;
  /** What must be there for it to make sense; looked up in a dry run. */
  readonly needs: string;
}

/** Makes a change, or says what it would do. Resolves with the answer; undefined for a dry run. Throws Refusal. */
export async function makeChange(change: Change, flags: ChangeFlags, terminal: Terminal): Promise<unknown> {
  const target = targetOf(flags.url, terminal);
  if (flags.dryRun) {
    await callAdmin(target, { method: "GET", path: change.needs });
    terminal.print(`This would ${change.what} at ${target.url.origin}.`);
    return undefined;
  }
  const { value } = await callAdmin(target, change);
  return value ?? {};
}
