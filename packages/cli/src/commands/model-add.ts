import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type PackageManifest, registerAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { confirm } from "../ask/answer-of.ts";
import { type MeasureFlags, measureOptionsOf, withMeasureOptions } from "../ask/measure-options.ts";
import type { Prepare } from "../ask/samples-file.ts";
import { type Target, targetOf } from "../ask/target.ts";
import { type Context, newCommand } from "../command.ts";
import { buildManifest } from "../describe/build-manifest.ts";
import { type DescribeFlags, describePackage } from "../describe/describe-package.ts";
import { findPackage } from "../describe/find-package.ts";
import type { Content } from "../describe/package-content.ts";
import { prepareInputs } from "../describe/prepare-inputs.ts";
import { type GraphFacts, readGraph } from "../inspect/read-graph.ts";
import { longestSizes } from "../measure/longest-sizes.ts";
import { type Measurement, measureGraph } from "../measure/measure-graph.ts";
import { decideTiers } from "../place/decide-tiers.ts";
import { callAdmin } from "../send/admin.ts";
import { uploadContents } from "../send/upload.ts";
import { measurementJson, measurementText } from "../tell/measurement.ts";
import { bytesText, tensorText } from "../tell/table.ts";
import type { Terminal } from "../tell/terminal.ts";

interface CheckFlags extends DescribeFlags, MeasureFlags {
  readonly write?: true;
  readonly json?: true;
}

interface AddFlags extends CheckFlags {
  readonly url?: string;
  readonly dryRun?: true;
}

export function modelCheck({ terminal }: Context): Command {
  const command = newCommand("check", "Do all that 'add' does except to send anything", [
    "ledge model check model.onnx --name scores --task tensor",
    "ledge model check models/intent/1 --json",
  ]);
  return withPackageOptions(command).action(async (path: string, flags: CheckFlags) => {
    const checked = await checkPackage(path, flags, terminal);
    if (flags.json) terminal.print(JSON.stringify(checkedJson(checked)));
  });
}

export function modelAdd({ terminal }: Context): Command {
  const command = newCommand("add", "Check a model, upload it and register it as the next version", [
    "ledge model add scores.onnx --task tensor",
    "ledge model add sentiment.onnx --task text-classification --tokenizer tokenizer.json --labels bad,good",
    "ledge model add models/intent/1 --yes",
  ])
    .option("--url <url>", "the deployment (default LEDGE_URL, else http://127.0.0.1:8787)")
    .option("--dry-run", "stop before anything is sent");
  return withPackageOptions(command).action(async (path: string, flags: AddFlags) => {
    const target = flags.dryRun ? undefined : targetOf(flags.url, terminal);
    const checked = await checkPackage(path, flags, terminal);
    if (target === undefined) {
      terminal.say("Nothing was sent.");
      if (flags.json) terminal.print(JSON.stringify(checkedJson(checked)));
      return;
    }
    const { name } = checked.manifest;
    if (terminal.interactive)
      await confirm(terminal, `Register it as ${name} at ${target.url.origin}?`, flags.yes === true);
    await register(target, checked, flags, terminal);
  });
}

function withPackageOptions(command: Command): Command {
  command
    .argument("<path>", "a graph (.onnx), or a folder with one and what belongs to it")
    .option("--name <name>", "the model's name")
    .option(
      "--task <task>",
      "text-classification, image-classification, audio-classification, embedding, chat or tensor",
    )
    .option("--labels <labels>", "a file (JSON list, or one a line), or names with commas between")
    .option("--tokenizer <file>", "a Hugging Face tokenizer.json; tokenizer_config.json beside it is taken along")
    .option("--max-tokens <n>", "tokens kept of a text")
    .option("--preprocess <file>", "the step before the graph, as JSON")
    .option("--postprocess <file>", "the step after the graph, as JSON")
    .option("--batch-max <n>", "most rows in one run")
    .option("--licence <text>", "its licence, as SPDX names it")
    .option("--description <text>", "what it is")
    .option("--write", "write model.json (and labels.json) beside the graph")
    .option("--yes", "take every proposal, ask nothing")
    .option("--json", "print JSON");
  return withMeasureOptions(command);
}

interface Checked {
  readonly manifest: PackageManifest;
  readonly contents: readonly Content[];
  readonly measurement: Measurement;
  readonly reason: string;
}

async function checkPackage(path: string, flags: CheckFlags, terminal: Terminal): Promise<Checked> {
  const found = await findPackage(resolve(terminal.cwd, path));
  const facts = await readGraph(join(found.folder, found.graph));
  terminal.say(factsText(facts));
  const description = await describePackage(found, facts, flags, terminal);
  const draft = await buildManifest(facts, description);
  const prepare: Prepare = (inputs) => prepareInputs(draft, description.contents, inputs);
  const options = await measureOptionsOf(flags, facts, terminal, prepare);
  const measurement = await measureGraph(facts, { ...options, longest: longestSizes(facts, description) });
  terminal.say(measurementText(measurement));
  const placement = decideTiers(description.task, measurement);
  terminal.say(placement.reason);
  const manifest = await buildManifest(facts, description, { measurement, placement });
  if (flags.write) await writePackage(found.folder, manifest, description.contents, terminal);
  return { manifest, contents: description.contents, measurement, reason: placement.reason };
}

function factsText({ path, bytes, opset, producer, inputs, outputs }: GraphFacts): string {
  const by = producer === undefined ? "" : `, made by ${producer}`;
  return [
    `${path}: ${bytesText(bytes)}, opset ${opset}${by}`,
    `  in   ${inputs.map(tensorText).join(", ")}`,
    `  out  ${outputs.map(tensorText).join(", ")}`,
  ].join("\n");
}

function checkedJson({ manifest, measurement, reason }: Checked) {
  return { manifest, ...measurementJson(measurement), reason };
}

/** Files that were made on the way go beside the graph, too: the package is whole then. */
async function writePackage(
  folder: string,
  manifest: PackageManifest,
  contents: readonly Content[],
  terminal: Terminal,
) {
  for (const { path, source } of contents) if (typeof source !== "string") await writeFile(join(folder, path), source);
  const path = join(folder, "model.json");
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
  terminal.say(`Wrote ${path}.`);
}

async function register(target: Target, checked: Checked, flags: AddFlags, terminal: Terminal): Promise<void> {
  const { manifest, contents } = checked;
  await uploadContents(target, contents, terminal);
  const path = `/models/${manifest.name}/versions`;
  const { value } = await callAdmin(target, { method: "POST", path, json: { manifest } });
  const answer = registerAnswer.parse(value);
  if (flags.json) {
    terminal.print(
      JSON.stringify({ ...answer, ...checkedJson(checked), manifest: { ...manifest, version: answer.version } }),
    );
    return;
  }
  const { model, version, stable, created } = answer;
  terminal.print(`${model}@${version} ${created ? "is registered" : "was registered already"}.`);
  if (stable === version) return;
  terminal.print(`'${model}' is still answered by version ${stable}. To move callers over by steps:`);
  terminal.print(`  ledge rollout start ${model}@${version}`);
}
