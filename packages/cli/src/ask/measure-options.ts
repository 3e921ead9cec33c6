import { resolve } from "node:path";
import type { Command } from "commander";
import { collect } from "../command.ts";
import type { GraphFacts } from "../inspect/read-graph.ts";
import type { MeasureOptions } from "../measure/measure-graph.ts";
import { Refusal } from "../refusal.ts";
import { startProgress } from "../tell/progress.ts";
import type { Terminal } from "../tell/terminal.ts";
import { type Prepare, readSamples } from "./samples-file.ts";

export interface MeasureFlags {
  readonly input?: string;
  readonly size?: readonly string[];
  readonly timeout: string;
  readonly memory: string;
}

/** The options of every command that runs a model. */
export function withMeasureOptions(command: Command): Command {
  return command
    .option(
      "--input <file>",
      "JSON with the inputs to run: texts and the like as callers send them, or Open Inference Protocol requests",
    )
    .option(
      "--size <name=n>",
      "size of a variable dimension in generated inputs (may be repeated; default 16)",
      collect,
    )
    .option("--timeout <seconds>", "longest that one engine may take in all", "300")
    .option("--memory <mib>", "most memory that running it may take on this machine", "3072");
}

/** Reads the flags; the caller runs the measurement. Throws {@link Refusal} for what cannot be understood. */
export async function measureOptionsOf(
  flags: MeasureFlags,
  facts: GraphFacts,
  terminal: Terminal,
  prepare?: Prepare,
): Promise<MeasureOptions> {
  const samples =
    flags.input === undefined ? undefined : await readSamples(resolve(terminal.cwd, flags.input), facts, prepare);
  return {
    limits: {
      timeoutMs: 1000 * numberOf("--timeout", flags.timeout),
      memoryBytesMax: 2 ** 20 * numberOf("--memory", flags.memory),
    },
    countMs: 300,
    sizes: new Map((flags.size ?? []).map(sizeOf)),
    ...(samples === undefined ? {} : { samples }),
    onStep: stepsOn(terminal),
  };
}

function stepsOn(terminal: Terminal): NonNullable<MeasureOptions["onStep"]> {
  const titles = { native: "Measuring in native ONNX Runtime", wasm: "Measuring the WASM build in workerd" };
  const bars = new Map<string, ReturnType<typeof startProgress>>();
  return (engine, done, of) => {
    const bar = bars.get(engine) ?? startProgress(terminal, titles[engine]);
    bars.set(engine, bar);
    bar.update(done, of);
    if (done === of) bar.end();
  };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1) throw new Refusal(`${name} takes a whole number, not '${text}'.`, 2);
  return value;
}

function sizeOf(text: string): [string, number] {
  const [, name, size] = /^(.+)=(\d{1,9})$/.exec(text) ?? [];
  if (name === undefined) throw new Refusal(`--size takes NAME=N, as in --size length=128, not '${text}'.`, 2);
  return [name, Number(size)];
}
