import { rolloutReport, type StartRolloutRequest, startRolloutRequest } from "@ledge/contract";
import type { Command } from "commander";
import { modelNameOf, modelPath, modelVersionOf, versionPath } from "../ask/model-version.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, type TargetFlags, withChangeOptions, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import { rolloutReportText } from "../tell/rollout.ts";
import { change } from "./model-change.ts";

interface StartFlags extends ChangeFlags {
  readonly steps?: string;
  readonly callsMin?: string;
  readonly stepSeconds?: string;
  readonly slowMs?: string;
  readonly unsureBelow?: string;
  readonly tolerance?: string;
  readonly falseAlarm?: string;
  readonly shadow?: true;
  readonly percent?: string;
  readonly experiment?: string;
}

export function rolloutStart({ terminal }: Context): Command {
  const command = newCommand("start", "Start a canary, a shadow or an experiment", [
    "ledge rollout start intent@2",
    "ledge rollout start intent@2 --steps 5,50,100 --calls-min 500",
    "ledge rollout start intent@2 --shadow --percent 10",
    "ledge rollout start intent --experiment 1=50,2=50",
  ])
    .argument("<model[@version]>", "the candidate; for an experiment the model alone")
    .option("--steps <percents>", "canary: the candidate's share at each step (default 1,5,25,100)")
    .option("--calls-min <n>", "canary: calls the candidate must have had before a step is judged")
    .option("--step-seconds <n>", "canary: how long a step lasts at least")
    .option("--slow-ms <n>", "an answer slower than this is slow (default: the stable version's p95)")
    .option("--unsure-below <score>", "an answer whose best score lies below this is unsure")
    .option(
      "--tolerance <shares>",
      "canary: how much worse it may be, as in error=0.01,slow=0.05,unsure=0.05,disliked=0.05",
    )
    .option("--false-alarm <share>", "canary: the chance of rolling back a good candidate")
    .option("--shadow", "copy calls to the candidate off the request path; callers see nothing of it")
    .option("--percent <n>", "shadow: the share of calls copied (default 100)")
    .option("--experiment <weights>", "a fixed split by version in per cent, as in 1=50,2=50");
  return withChangeOptions(command).action(async (which: string, flags: StartFlags) => {
    const model = modelNameOf(which.split("@")[0] ?? "");
    const json = startOf(which, flags);
    const what = `start a ${json.kind} of ${which}`;
    const needs = which.includes("@") ? versionPath(modelVersionOf(which)) : modelPath(model);
    const done = `The ${json.kind} of ${which} has started: 'ledge rollout status ${model}' tells how it goes.`;
    await change({ method: "POST", path: `${modelPath(model)}/rollout`, json, what, needs }, done, flags, terminal);
  });
}

/** The request that the flags stand for. Throws Refusal with every fault of it. */
function startOf(which: string, flags: StartFlags): StartRolloutRequest {
  const { slowMs, unsureBelow } = flags;
  const common = present({ slow_ms: numberIn(slowMs), unsure_below: numberIn(unsureBelow) });
  let request: unknown;
  if (flags.experiment !== undefined) {
    request = { kind: "experiment", weights: pairsIn(flags.experiment), ...common };
  } else {
    const { version } = modelVersionOf(which);
    request = flags.shadow
      ? { kind: "shadow", version, ...present({ percent: numberIn(flags.percent) }) }
      : { kind: "canary", version, ...common, ...canaryOf(flags) };
  }
  const checked = startRolloutRequest.safeParse(request);
  if (checked.success) return checked.data;
  throw new Refusal("These flags do not make a rollout: 'ledge rollout start --help' says what each takes.", 2);
}

function canaryOf({ steps, callsMin, stepSeconds, tolerance, falseAlarm }: StartFlags) {
  return present({
    steps: steps?.split(",").map(Number),
    calls_min: numberIn(callsMin),
    step_seconds_min: numberIn(stepSeconds),
    tolerance: tolerance === undefined ? undefined : pairsIn(tolerance),
    false_alarm: numberIn(falseAlarm),
  });
}

const numberIn = (text: string | undefined) => (text === undefined ? undefined : Number(text || Number.NaN));

/** `a=1,b=2` as a record of numbers. */
function pairsIn(text: string): Record<string, number> {
  const pairs = text.split(",").map((pair) => pair.split("=", 2));
  return Object.fromEntries(pairs.map(([name = "", value]) => [name.trim(), Number(value || Number.NaN)]));
}

function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

export function rolloutStatus({ terminal }: Context): Command {
  const command = newCommand("status", "Tell how a rollout goes, arm by arm", ["ledge rollout status intent"]);
  return withTargetOptions(command.argument("<model>", "which")).action(async (which: string, flags: TargetFlags) => {
    const path = `${modelPath(modelNameOf(which))}/rollout`;
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path });
    terminal.print(flags.json ? JSON.stringify(value) : rolloutReportText(rolloutReport.parse(value)));
  });
}

const ends = {
  promote: ["Have the candidate answer every caller, now", "The candidate answers every caller"],
  rollback: ["End a rollout: the stable version answers every caller again", "The stable version answers every caller"],
  stop: ["Stop a rollout, and leave the stable version as it is", "The rollout has stopped"],
} as const;

function rolloutEnd(name: keyof typeof ends) {
  return ({ terminal }: Context): Command => {
    const [summary, done] = ends[name];
    const command = newCommand(name, summary, [`ledge rollout ${name} intent`]).argument("<model>", "which");
    return withChangeOptions(command).action(async (which: string, flags: ChangeFlags) => {
      const path = `${modelPath(modelNameOf(which))}/rollout`;
      const what = {
        method: "POST",
        path: `${path}/${name}`,
        what: `${name} the rollout of ${which}`,
        needs: path,
      } as const;
      await change(what, `${done}.`, flags, terminal);
    });
  };
}

export const rolloutPromote = rolloutEnd("promote");
export const rolloutRollback = rolloutEnd("rollback");
export const rolloutStop = rolloutEnd("stop");
