import { resolve } from "node:path";
import type { Command } from "commander";
import { type MeasureFlags, measureOptionsOf, withMeasureOptions } from "../ask/measure-options.ts";
import { type Context, newCommand } from "../command.ts";
import { readGraph } from "../inspect/read-graph.ts";
import { measureGraph } from "../measure/measure-graph.ts";
import { measurementJson, measurementText } from "../tell/measurement.ts";

export function modelMeasure({ terminal }: Context): Command {
  const command = newCommand("measure", "Measure a graph natively and in workerd: load, run, heap, difference", [
    "ledge model measure model.onnx",
    "ledge model measure model.onnx --size length=128 --json",
  ])
    .argument("<file.onnx>", "the graph")
    .option("--json", "print JSON");
  return withMeasureOptions(command).action(async (file: string, flags: MeasureFlags & { readonly json?: true }) => {
    const facts = await readGraph(resolve(terminal.cwd, file));
    const measurement = await measureGraph(facts, await measureOptionsOf(flags, facts, terminal));
    terminal.print(flags.json ? JSON.stringify(measurementJson(measurement)) : measurementText(measurement));
  });
}
