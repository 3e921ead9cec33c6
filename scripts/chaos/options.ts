import { parseArgs } from "node:util";
import { type FaultName, faultNames } from "./faults.ts";
import type { Case } from "./suite.ts";
import { type Target, targets } from "./world.ts";

export const usage = `npm run chaos -- [options]

Starts the edge, two origins of two regions and KServe behind both, asks them questions whose right answers are known, and makes
each of them fail in turn and then at random. Prints a table of what callers got. Takes about a quarter of an hour.

  --fault a,b     these faults only: ${faultNames.join(", ")}
  --target a,b    these only: ${targets.join(", ")}
  --minutes N     how long faults come at random after those in turn (default 3; 0: not at all)
  --seconds N     how long each fault lasts (default 10: longer than a call may take)
  --callers N     callers that ask all the time (default 12)
  --flood N       callers of a flood beside them (default 120)
  --seed N        what is drawn at random is drawn the same again (default 1)
  --no-engine     without KServe: chats alone, by the origins' own engine
  --no-build      takes the Workers as they were built last
  --json FILE     also writes the figures to FILE
  --help          this text

Ends with 0 when no answer was wrong, duplicated or silently cut, everything recovered, and origins were sent at most 1.1 requests a
call; with 1 when not.`;

export interface Options {
  readonly help: boolean;
  readonly build: boolean;
  readonly engine: boolean;
  readonly cases: readonly Case[];
  readonly minutes: number;
  readonly seconds: number;
  readonly callers: number;
  readonly floodCallers: number;
  readonly seed: number;
  readonly json?: string;
}

/** Reads the command line. Throws a sentence that says what is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      fault: { type: "string", default: faultNames.join(",") },
      target: { type: "string", default: targets.join(",") },
      minutes: { type: "string", default: "3" },
      seconds: { type: "string", default: "10" },
      callers: { type: "string", default: "12" },
      flood: { type: "string", default: "120" },
      seed: { type: "string", default: "1" },
      "no-engine": { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const faults = listOf("--fault", values.fault, faultNames);
  const who = listOf("--target", values.target, targets);
  return {
    help: values.help,
    build: !values["no-build"],
    engine: !values["no-engine"],
    cases: casesOf(faults, who),
    minutes: numberOf("--minutes", values.minutes, 0),
    seconds: numberOf("--seconds", values.seconds, 0.5),
    callers: numberOf("--callers", values.callers, 1),
    floodCallers: numberOf("--flood", values.flood, 1),
    seed: numberOf("--seed", values.seed, 0),
    ...(values.json === undefined ? {} : { json: values.json }),
  };
}

/** Every fault at every target. */
export function casesOf(faults: readonly FaultName[], who: readonly Target[]): readonly Case[] {
  return faults.flatMap((fault) => who.map((target) => ({ fault, target })));
}

function listOf<T extends string>(option: string, text: string, known: readonly T[]): readonly T[] {
  return text.split(",").map((name) => {
    const found = known.find((one) => one === name.trim());
    if (found === undefined) throw new Error(`${option} takes ${known.join(", ")}; '${name}' is none of them.`);
    return found;
  });
}

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least))
    throw new Error(`${option} takes a number from ${least}, not '${text}'.`);
  return value;
}
