import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type Task, task as taskSchema } from "@ledge/contract";
import { answerOf } from "../ask/answer-of.ts";
import type { GraphFacts } from "../inspect/read-graph.ts";
import { Refusal } from "../refusal.ts";
import type { Terminal } from "../tell/terminal.ts";
import { type CompanionFlags, type Companions, findCompanions } from "./companions.ts";
import type { FoundPackage } from "./find-package.ts";
import { type Content, contentOfFile } from "./package-content.ts";
import { embeddingStepOf, imageStepOf, labelsStepOf, tokenInputs, tokenizerStepOf } from "./steps.ts";

export interface DescribeFlags extends CompanionFlags {
  readonly name?: string;
  readonly task?: string;
  readonly description?: string;
  readonly licence?: string;
  readonly maxTokens?: string;
  readonly preprocess?: string;
  readonly postprocess?: string;
  readonly batchMax?: string;
  /** Takes what would be proposed instead of asking. */
  readonly yes?: true;
}

/** What the graph does not say of itself. */
export interface Description {
  readonly name: string;
  readonly task: Task;
  readonly description: string;
  readonly licence: string;
  readonly preprocess?: Step;
  readonly postprocess?: Step;
  readonly limits: Readonly<Record<string, number>>;
  /** What an earlier `model.json` says of inputs, and no graph does: what values they take, and which are usual. */
  readonly profile?: unknown;
  readonly bounds: Readonly<Record<string, Json>>;
  /** The graph first, then every other file of the package. */
  readonly contents: readonly [Content, ...Content[]];
}

type Step = { readonly kind: string } & Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>>;

const rowsDefault = 64;
const textBytesDefault = 32_768;

/**
 * Puts a package together: flags before `model.json` before what the folder's files and the graph suggest; what is missing
 * then is asked for.
 *
 * @throws Refusal naming the flag, when nobody is there to ask.
 */
export async function describePackage(
  found: FoundPackage,
  facts: GraphFacts,
  flags: DescribeFlags,
  terminal: Terminal,
): Promise<Description> {
  const companions = await findCompanions(found, flags, terminal.cwd);
  const before = found.manifest ?? {};
  const name = flags.name ?? textOf(before.name) ?? (await askName(found, flags, terminal));
  const task = taskOf(flags.task ?? textOf(before.task) ?? (await askTask(facts, companions, flags, terminal)));
  const steps = await stepsOf({ task, facts, flags, companions, before }, terminal);
  const limits = { ...(isJson(before.limits) ? before.limits : limitsOf(facts, task)) };
  if (flags.batchMax !== undefined) limits.batchMax = countOf("--batch-max", flags.batchMax);
  return {
    name,
    task,
    description: flags.description ?? textOf(before.description) ?? "",
    licence: flags.licence ?? textOf(before.licence) ?? "not stated",
    ...steps,
    limits: limits as Record<string, number>,
    ...(before.profile === undefined ? {} : { profile: before.profile }),
    bounds: boundsIn(before.inputs),
    contents: [
      await contentOfFile(found.graph, join(found.folder, found.graph)),
      ...(await otherFiles(found, facts, companions, before, steps)),
    ],
  };
}

function boundsIn(inputs: unknown): Readonly<Record<string, Json>> {
  const bounds = (Array.isArray(inputs) ? inputs.filter(isJson) : []).map(({ name, range, finite }) => {
    const said = { ...(range === undefined ? {} : { range }), ...(finite === undefined ? {} : { finite }) };
    return [String(name), said] as const;
  });
  return Object.fromEntries(bounds);
}

interface Parts {
  readonly task: Task;
  readonly facts: GraphFacts;
  readonly flags: DescribeFlags;
  readonly companions: Companions;
  readonly before: Json;
}

interface Steps {
  readonly preprocess?: Step;
  readonly postprocess?: Step;
}

async function stepsOf({ task, facts, flags, companions, before }: Parts, terminal: Terminal): Promise<Steps> {
  if (task === "tensor") return {};
  if (task === "chat") return chatSteps(companions, before);
  const given = {
    preprocess: (await stepFile(flags.preprocess, terminal)) ?? stepIn(before.preprocess),
    postprocess: (await stepFile(flags.postprocess, terminal)) ?? stepIn(before.postprocess),
  };
  const preprocess = given.preprocess ?? preprocessOf(task, facts, companions, flags);
  const postprocess = given.postprocess ?? postprocessOf(task, facts, companions);
  return { preprocess: preprocess as Step, postprocess: postprocess as Step };
}

/** Engines of the origin know how to chat; its prompts are counted by its tokenizer and its template. */
function chatSteps({ tokenizer, tokenizerConfig, json }: Companions, before: Json): Steps {
  const byTemplate = tokenizer && tokenizerConfig && json.tokenizerConfig.chat_template !== undefined;
  const found = byTemplate && { kind: "chat-template", tokenizer: tokenizer.path, template: tokenizerConfig.path };
  const [preprocess = found, postprocess] = [stepIn(before.preprocess), stepIn(before.postprocess)];
  return { ...(preprocess && { preprocess }), ...(postprocess && { postprocess }) };
}

function preprocessOf(
  task: Task,
  facts: GraphFacts,
  { tokenizer, tokenizerConfig, json }: Companions,
  flags: DescribeFlags,
) {
  if (tokenizer !== undefined) {
    const files = { tokenizer: tokenizer.path, ...(tokenizerConfig && { config: tokenizerConfig.path }) };
    const maxTokens = flags.maxTokens === undefined ? undefined : countOf("--max-tokens", flags.maxTokens);
    return tokenizerStepOf(facts, files, json.tokenizer, json.tokenizerConfig, maxTokens);
  }
  const image = task === "image-classification" ? imageStepOf(facts, json.preprocessor) : undefined;
  if (image !== undefined) return image;
  const missing =
    task.startsWith("text") || tokenInputs(facts)
      ? "its tokenizer: --tokenizer tokenizer.json"
      : "what comes before the graph: --preprocess FILE (a step as in model.json)";
  throw new Refusal(`A model for ${task} needs ${missing}.`, 2);
}

function postprocessOf(task: Task, { outputs }: GraphFacts, { labels }: Companions) {
  if (task === "embedding") return embeddingStepOf(outputs);
  if (labels !== undefined) return labelsStepOf(labels.path);
  throw new Refusal(`A model for ${task} needs its labels: --labels FILE, or --labels first,second.`, 2);
}

/** External data, and whatever the steps name: from the folder as it was found, or made on the way. */
async function otherFiles(found: FoundPackage, facts: GraphFacts, companions: Companions, before: Json, steps: Steps) {
  const externals = await Promise.all(facts.externals.map(({ location, path }) => contentOfFile(location, path)));
  const named = [companions.labels, companions.tokenizer, companions.tokenizerConfig].filter(
    (content) => content !== undefined && isNamed(steps, content.path),
  ) as Content[];
  const have = new Set([...externals, ...named].map(({ path }) => path));
  const listed = Array.isArray(before.files) ? (before.files as { path?: unknown }[]) : [];
  const kept = listed.map(({ path }) => textOf(path)).filter((path) => path !== undefined && !have.has(path));
  const rest = [...new Set([...kept, ...filesNamedIn(steps)])].filter((path) => path !== undefined && !have.has(path));
  const read = await Promise.all((rest as string[]).map((path) => listedFile(found, path)));
  return [...externals, ...named, ...read];
}

async function listedFile({ folder }: FoundPackage, path: string): Promise<Content> {
  if (/^[/~]|[\\:\0]|(?:^|\/)\.\.(?:\/|$)/.test(path))
    throw new Refusal(`model.json names ${path}, outside its folder.`);
  return contentOfFile(path, join(folder, path)).catch(() => {
    throw new Refusal(`model.json names ${path}, and there is no such file.`);
  });
}

/** Members of a step that name a file of the package. */
function filesNamedIn({ preprocess, postprocess }: Steps): readonly (string | undefined)[] {
  return [preprocess?.tokenizer, preprocess?.config, preprocess?.template, postprocess?.labels].map(textOf);
}

function isNamed(steps: Steps, path: string): boolean {
  return filesNamedIn(steps).includes(path);
}

function limitsOf({ inputs }: GraphFacts, task: Task): Record<string, number> {
  const byRows = inputs.length > 0 && inputs.every(({ dimensions }) => typeof dimensions?.[0] === "string");
  return {
    batchMax: byRows ? rowsDefault : 1,
    ...(task === "tensor" ? {} : { inputBytesMax: textBytesDefault }),
  };
}

async function askName({ folder, graph, whole }: FoundPackage, flags: DescribeFlags, terminal: Terminal) {
  const plain = basename(whole ? folder : graph, ".onnx").toLowerCase();
  const proposal = plain
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 64);
  return answerOf(terminal, { flag: "--name", question: "Name", proposal, yes: flags.yes === true });
}

async function askTask(facts: GraphFacts, companions: Companions, flags: DescribeFlags, terminal: Terminal) {
  const question = `What does it do? ${taskSchema.options.join(", ")}`;
  return answerOf(terminal, {
    flag: "--task",
    question,
    proposal: likelyTask(facts, companions),
    yes: flags.yes === true,
  });
}

function likelyTask(facts: GraphFacts, { labels, tokenizer }: Companions): Task {
  if (tokenizer !== undefined) return labels === undefined ? "embedding" : "text-classification";
  const picture = facts.inputs.length === 1 && facts.inputs[0]?.shape.length === 4;
  return labels !== undefined && picture ? "image-classification" : "tensor";
}

function taskOf(text: string): Task {
  const found = taskSchema.options.find((option) => option === text);
  if (found === undefined) throw new Refusal(`--task takes ${taskSchema.options.join(", ")}; not '${text}'.`, 2);
  return found;
}

async function stepFile(path: string | undefined, { cwd }: Terminal): Promise<Step | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(resolve(cwd, path), "utf8").catch(() => "");
  const step = stepIn(jsonOf(text));
  if (step === undefined)
    throw new Refusal(`${path} is no step: write a JSON object with its "kind", as in model.json.`);
  return step;
}

function stepIn(value: unknown): Step | undefined {
  return isJson(value) && typeof value.kind === "string" ? (value as Step) : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function countOf(flag: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Refusal(`${flag} takes a whole number, not '${text}'.`, 2);
  return Number(text);
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
