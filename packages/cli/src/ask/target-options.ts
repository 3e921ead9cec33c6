import type { Command } from "commander";

export interface TargetFlags {
  readonly url?: string;
  readonly json?: true;
}

export interface ChangeFlags extends TargetFlags {
  readonly dryRun?: true;
}

/** The options of a command that reads from a deployment. */
export function withTargetOptions(command: Command): Command {
  return command
    .option("--url <url>", "the deployment (default LEDGE_URL, else http://127.0.0.1:8787)")
    .option("--json", "print the answer as JSON");
}

/** The options of a command that changes what callers get. */
export function withChangeOptions(command: Command): Command {
  return withTargetOptions(command).option("--dry-run", "say what would be done, and do nothing");
}
