import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type ModelManifest, modelManifest, parse, registerAnswer } from "@ledge/contract";
import type { Command } from "commander";
import { modelNameOf } from "../ask/model-version.ts";
import { targetOf } from "../ask/target.ts";
import { type ChangeFlags, withChangeOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { callAdmin } from "../send/admin.ts";
import type { Terminal } from "../tell/terminal.ts";

interface AttachFlags extends ChangeFlags {
  readonly task: string;
  readonly revision?: string;
  readonly dimensions?: string;
  readonly tensors?: string;
  readonly licence?: string;
  readonly description?: string;
}

/** Registers a model that has no package: an engine behind the origins serves it. */
export function modelAttach({ terminal }: Context): Command {
  const command = newCommand("attach", "Register a model that an engine behind the origins serves", [
    "ledge model attach llama --task chat",
    "ledge model attach llama --task chat --revision 2026-11-20",
    "ledge model attach bge --task embedding --dimensions 1024",
    "ledge model attach scores --task tensor --tensors metadata.json",
  ])
    .argument("<name>", "its name, as callers write it and the origins' ENGINES has it")
    .requiredOption("--task <task>", "chat, embedding or tensor")
    .option("--revision <text>", "what tells its weights from others; another one is another version")
    .option("--dimensions <n>", "embedding: how long a vector is")
    .option("--tensors <file>", "tensor: what GET /v2/models/<name> of its server says, as JSON")
    .option("--licence <text>", "its licence, as SPDX names it")
    .option("--description <text>", "what it is");
  return withChangeOptions(command).action(async (name: string, flags: AttachFlags) => {
    const manifest = await manifestFor(modelNameOf(name), flags, terminal);
    const target = targetOf(flags.url, terminal);
    if (flags.dryRun) return terminal.print(`This would register ${name} at ${target.url.origin}.`);
    const call = { method: "POST", path: `/models/${name}/versions`, json: { manifest } } as const;
    const answer = registerAnswer.parse((await callAdmin(target, call)).value);
    terminal.print(flags.json ? JSON.stringify(answer) : attachedText(answer));
  });
}

async function manifestFor(name: string, flags: AttachFlags, terminal: Terminal): Promise<ModelManifest> {
  const { task, dimensions, revision = "", licence = "", description = "" } = flags;
  const about = { name, version: "1", task, licence, description, served: { revision }, tiers: ["origin"], limits: {} };
  const steps = dimensions === undefined ? {} : { postprocess: { kind: "embedding", dimensions: Number(dimensions) } };
  if (dimensions !== undefined && !(task === "embedding" && /^[1-9][0-9]{0,5}$/.test(dimensions)))
    throw new Refusal("--dimensions is a whole number, and goes with --task embedding.", 2);
  if ((task === "tensor") !== (flags.tensors !== undefined))
    throw new Refusal("--tensors goes with --task tensor, which needs it: name the file of the server's metadata.", 2);
  const tensors = flags.tensors === undefined ? { inputs: [], outputs: [] } : await tensorsIn(flags.tensors, terminal);
  const manifest = parse(modelManifest, { ...about, ...steps, ...tensors });
  if (manifest.ok) return manifest.value;
  const faults = manifest.fault.issues?.map(({ path, message }) => `${path}: ${message}`) ?? [];
  throw new Refusal(`This is no model that an engine can serve. ${faults.join(" ")}`, 2);
}

/** Name, type and shape of each: what else a server says of its tensors is its own. */
async function tensorsIn(file: string, { cwd }: Terminal): Promise<object> {
  try {
    const { inputs, outputs } = JSON.parse(await readFile(resolve(cwd, file), "utf8"));
    return { inputs: inputs.map(specOf), outputs: outputs.map(specOf) };
  } catch {
    throw new Refusal(`${file} is not what a server says of its model: save GET /v2/models/<name> there.`, 2);
  }
}

function specOf({ name, datatype, shape }: Readonly<Record<string, unknown>>): object {
  return { name, datatype, shape };
}

function attachedText({ model, version, stable, created }: ReturnType<typeof registerAnswer.parse>): string {
  if (!created) {
    return `${model}@${version} was registered already. What is served anew has another --revision, and is another version then.`;
  }
  const lines = [
    `${model}@${version} is registered. In the ENGINES of every origin that serves it:`,
    `  ${JSON.stringify({ name: model, version })}, with its "servedName" where the server calls it otherwise`,
  ];
  if (stable === version) return lines.join("\n");
  return [
    ...lines,
    `'${model}' is still answered by version ${stable}. To move callers over by steps:`,
    `  ledge rollout start ${model}@${version}`,
  ].join("\n");
}
