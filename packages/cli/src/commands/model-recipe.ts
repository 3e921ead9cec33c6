import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import type { Terminal } from "../tell/terminal.ts";

const repository = join(import.meta.dirname, "..", "..", "..", "..");
const recipes = join(repository, "models", "recipes");
const starter = join(import.meta.dirname, "..", "..", "bin", "ledge.mjs");

function recipe(name: string, summary: string, examples: readonly string[]) {
  return ({ terminal }: Context): Command => {
    const command = newCommand(name, summary, examples)
      .argument("[arguments...]", "the recipe's own")
      .helpOption(false)
      .addHelpText("after", `\n${needs}`)
      .allowUnknownOption()
      .passThroughOptions();
    return command.action((args: readonly string[]) => runRecipe(command, args, terminal));
  };
}

const needs = `Options are the recipe's own: --help shows them once its packages are there.
It runs on Python with models/recipes/requirements.txt; LEDGE_PYTHON names one.`;

export const modelQuantize = recipe("quantize", "Store a graph in fewer bits, and tell what it costs and saves", [
  "ledge model quantize model.onnx small/model.onnx --scheme int8-dynamic",
]);
export const modelPrune = recipe("prune", "Take layers, heads or vocabulary out, and tell what it costs and saves", [
  "ledge model prune layers checkpoint pruned --keep 0,2,5",
]);
export const modelDistil = recipe("distill", "Teach a small model what a large one says", [
  "ledge model distill static --teacher teacher --text sentences.txt --out student --name embed",
]);

async function runRecipe(command: Command, args: readonly string[], terminal: Terminal): Promise<void> {
  const name = command.name();
  const folder = join(recipes, name);
  const python = findPython(terminal);
  const lacking = lackingPackages(python);
  if (lacking.length > 0) {
    if (args.includes("--help")) command.outputHelp();
    throw new Refusal(venvHint(lacking));
  }
  const env = { ...terminal.env, LEDGE_CLI: terminal.env.LEDGE_CLI ?? `"${process.execPath}" "${starter}"` };
  const child = spawn(python, [folder, ...args], { cwd: terminal.cwd, env, stdio: "inherit" });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (...end) => resolve(end));
  });
  if (code === 0) return;
  if (code === 2) throw new Refusal(`Type 'ledge model ${name} --help' for what it takes.`, 2);
  throw new Refusal(`The recipe ended with ${signal ?? `code ${code}`}.`);
}

/** LEDGE_PYTHON, else the environment in use, else `.venv` here or in the checkout, else the machine's own. */
function findPython({ env, cwd }: Terminal): string {
  const named = env.LEDGE_PYTHON;
  if (named !== undefined && named !== "") return named;
  const venvs = [env.VIRTUAL_ENV, join(cwd, ".venv"), join(repository, ".venv")];
  const found = venvs
    .map((venv) => join(venv ?? "", "bin", "python"))
    .find((path, at) => venvs[at] && existsSync(path));
  return found ?? "python3";
}

/** Names in requirements.txt that this Python cannot find. */
function lackingPackages(python: string): readonly string[] {
  const check = [
    "import sys, importlib.metadata as m, re",
    "names = [re.split('[=<>]', line)[0].strip() for line in open(sys.argv[1]) if re.match('[A-Za-z]', line)]",
    "have = {d.metadata['Name'].lower().replace('_', '-') for d in m.distributions() if d.metadata['Name']}",
    "print(' '.join(n for n in names if n.lower().replace('_', '-') not in have))",
  ].join("\n");
  const { status, stdout, error } = spawnSync(python, ["-c", check, join(recipes, "requirements.txt")], {
    encoding: "utf8",
  });
  if (error !== undefined || status !== 0) {
    throw new Refusal(
      `The recipes run on Python 3.10 or newer, and '${python}' does not start: name one with LEDGE_PYTHON.`,
    );
  }
  return stdout.split(/\s+/).filter((name) => name !== "");
}

function venvHint(lacking: readonly string[]): string {
  return [
    `This Python lacks ${lacking.join(", ")}. Make an environment for the recipes once:`,
    `  python3 -m venv .venv && .venv/bin/pip install -r ${join(recipes, "requirements.txt")}`,
  ].join("\n");
}
