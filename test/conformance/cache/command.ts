import { MockOrigin } from "../suite/mock-origin.ts";
import { printRules, printTable, runRules } from "../suite/run.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { rules } from "./rules.ts";
import type { RunningTarget } from "./start-ledge.ts";
import { Trial } from "./trial.ts";

/** The suite of answer caches: see docs/conformance.md. Resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : error} 'npm run conformance -- --help' lists the options.`,
    );
    return 2;
  }
  if (options.help) console.log(usage);
  else if (options.list) printRules(rules);
  else if (options.table.length > 0) printTable(options.table);
  else return await conformance(options);
  return 0;
}

async function conformance(options: Options): Promise<number> {
  const origin = await MockOrigin.listen(options.url === undefined ? 0 : options.originPort);
  let running: RunningTarget | undefined;
  try {
    running = await targetOf(options, origin);
    const trial = new Trial(running.target, origin);
    const unreached = await whyUnreached(trial);
    if (unreached !== undefined) {
      console.error(unreached);
      return 2;
    }
    return await runRules(rules, trial, options.profile.name, options);
  } finally {
    await running?.close();
    await origin.close();
  }
}

async function targetOf(options: Options, origin: MockOrigin): Promise<RunningTarget> {
  const { url, profile, adminKey, keys, tenants, model, otherModel } = options;
  if (url === undefined) {
    console.error("Building the Workers and starting Ledge …");
    // Only now: another gateway's run need not wait for what builds and runs Workers.
    const { buildWorkers } = await import("../../../scripts/edge/build.ts");
    const { startLedge } = await import("./start-ledge.ts");
    await buildWorkers();
    return await startLedge(origin.url);
  }
  const operator = adminKey === undefined ? undefined : profile.operator?.({ url, adminKey });
  const target = { url, profile, keys, tenants, model, otherModel };
  return { target: operator === undefined ? target : { ...target, operator }, close: async () => {} };
}

/** One sentence when calls do not reach the mock origin through the target; without that no rule means anything. */
async function whyUnreached(trial: Trial): Promise<string | undefined> {
  const { url } = trial.target;
  for (const ask of [{ caller: "a" }, { caller: "b" }, { caller: "a", model: trial.target.otherModel }] as const) {
    const one = trial.case();
    const what = "model" in ask ? `the model '${ask.model}'` : `the key of tenant ${ask.caller}`;
    const failed = await trial.succeed(one, ask).then(
      () => (one.calls().length === 0 ? "an answer came that our origin did not give" : undefined),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (failed !== undefined) return `${url} does not reach ${trial.origin.url} with ${what}: ${failed}`;
  }
  return undefined;
}
