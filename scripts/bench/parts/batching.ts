import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PredictCall, packageManifest } from "@ledge/contract";
import { createServable } from "@ledge/pipeline";
import { blobsOf, packageOf, refOf } from "../../../test/support/model-package.ts";
import { int8Transformer, sixLayers } from "../../../test/support/onnx/transformer.ts";
import { buildVariant } from "../../edge/build.ts";
import { repoRoot } from "../../repo.ts";
import type { Measured, Round } from "../compare.ts";
import { type Fact, type Outcome, rowOf } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { cpuUs } from "../process-figures.ts";
import { quantile, spreadOf } from "../statistics.ts";
import { type RunningWorkerd, startWorkerd } from "../workerd.ts";
import { builtWorker } from "../workerd-config.ts";
import { aimsOf, secondAim } from "./batching-aims.ts";

/** Micro-batching and loading, from inside the inference Worker (`inside/index.mjs`): neither HTTP nor RPC is in the figures. */

const callers = 32;
const tokens = 16;
/** The transformer among the versions of `intent`, of which only the graph is run. */
const secondDir = join(repoRoot, "models", "intent", "2");
const dir = join(repoRoot, "models", "intent", "1");
const intent = packageManifest.parse(JSON.parse(readFileSync(join(dir, "model.json"), "utf8")));

const sentences = [
  "transfer fifty dollars from checking to savings",
  "what's the weather like in paris tomorrow",
  "set an alarm for six thirty",
  "how do i say good morning in french",
  "what is my credit card limit",
  "is there traffic on my way to work",
  "how many calories are in a banana",
  "find a flight from boston to denver under three hundred dollars",
];

/** One of the things compared: `runs` of it a second on an idle machine, and how many rows each run answers. */
interface Side {
  readonly name: string;
  readonly asks: Readonly<Record<string, unknown>>;
  readonly callers: number;
  readonly perSecond: number;
  readonly rows: number;
}

export async function measureBatching(plan: Plan): Promise<Outcome> {
  const bundle = await buildVariant("inference", join(repoRoot, "scripts", "bench", "inside", "index.mjs"), "inside");
  const transformer = transformerPackage();
  const graph = readFileSync(join(dir, "model.onnx"));
  const second = packageManifest.parse(JSON.parse(readFileSync(join(secondDir, "model.json"), "utf8")));
  const blobs = {
    ...blobsOf(transformer),
    [`blobs/${intent.file.sha256}`]: graph,
    [`blobs/${second.file.sha256}`]: readFileSync(join(secondDir, second.file.path)),
  };
  const workerd = await startWorkerd([builtWorker("inference", {}, true, bundle)], { blobs });
  try {
    const texts = await compareSides(workerd, textSides(), plan);
    const tensors = await compareSides(workerd, tensorSides(transformer, second.file.sha256), plan);
    const facts = [
      ...(await firstAnswers(workerd, "intent", textCalls(), plan)),
      ...(await firstAnswers(workerd, "6-layer transformer", [tensorCall(transformer)], plan)),
    ];
    const measured = [...texts, ...tensors];
    const aims = [
      ...aimsOf("intent", { callers, gain: 3, hashed: texts.at(-1) }, texts),
      ...aimsOf("6-layer transformer", { callers, gain: 1.35 }, tensors),
      ...secondAim(tokens, tensors),
    ];
    return { rows: measured.map(rowOf), aims, facts, rounds: measured };
  } finally {
    workerd.close();
  }
}

/** In the order that {@link aimsOf} reads. */
function textSides(): readonly Side[] {
  const calls = textCalls();
  const bare = (feeds: readonly unknown[]) => ({ service: "bare", graph: intent.file.sha256, feeds });
  const single = sentences.map((sentence) => textFeed([sentence]));
  const joined = textFeed(Array.from({ length: callers }, (_, row) => sentences[row % sentences.length] ?? ""));
  return [
    { name: "batched", asks: { service: "batched", calls }, callers, perSecond: 12_000, rows: 1 },
    { name: "unbatched", asks: { service: "unbatched", calls }, callers, perSecond: 4_000, rows: 1 },
    { name: "batched", asks: { service: "batched", calls }, callers: 1, perSecond: 4_000, rows: 1 },
    { name: "without a queue", asks: { service: "direct", calls }, callers: 1, perSecond: 4_000, rows: 1 },
    { name: "bare session.run, 1 row", asks: bare(single), callers: 1, perSecond: 6_000, rows: 1 },
    {
      name: `bare session.run, ${callers} rows`,
      asks: bare([joined]),
      callers: 1,
      perSecond: 1_000,
      rows: callers,
    },
    { name: "features hashed only", asks: { service: "prepare", calls }, callers: 1, perSecond: 50_000, rows: 1 },
  ].map((side) => ({ ...side, name: `g  intent, ${side.name}, ${side.callers} callers` }));
}

function tensorSides(transformer: ReturnType<typeof transformerPackage>, second: string): readonly Side[] {
  const calls = [tensorCall(transformer)];
  const { sha256: graph } = transformer.manifest.file;
  const bare = (rows: number) => ({ service: "bare", graph, feeds: [{ ids: idFeed(rows), mask: idFeed(rows, 1) }] });
  return [
    { name: "batched", asks: { service: "batched", calls }, callers, perSecond: 100, rows: 1 },
    { name: "unbatched", asks: { service: "unbatched", calls }, callers, perSecond: 80, rows: 1 },
    { name: "batched", asks: { service: "batched", calls }, callers: 1, perSecond: 80, rows: 1 },
    { name: "unbatched", asks: { service: "unbatched", calls }, callers: 1, perSecond: 80, rows: 1 },
    { name: "bare session.run, 1 row", asks: bare(1), callers: 1, perSecond: 80, rows: 1 },
    { name: `bare session.run, ${callers} rows`, asks: bare(callers), callers: 1, perSecond: 4, rows: callers },
    {
      name: "and beside it intent 2, bare session.run, 1 row",
      asks: { service: "bare", graph: second, feeds: [secondFeed()] },
      callers: 1,
      perSecond: 120,
      rows: 1,
    },
  ].map((side) => ({ ...side, name: `g  6-layer transformer, ${side.name}, ${side.callers} callers` }));
}

/** In turns, so that what else the machine does falls on all. A round of each makes at least one batch. */
async function compareSides(workerd: RunningWorkerd, sides: readonly Side[], plan: Plan): Promise<Measured[]> {
  const measured = sides.map(({ name }) => ({ name, rounds: [] as Round[] }));
  for (const side of sides) await driveSide(workerd, side, 0.1);
  for (let round = 0; round < plan.rounds; round++) {
    for (const [index, side] of sides.entries()) {
      measured[index]?.rounds.push(await driveSide(workerd, side, plan.roundSeconds / 2));
    }
  }
  return measured;
}

async function driveSide({ url, pid }: RunningWorkerd, side: Side, seconds: number): Promise<Round> {
  const least = side.callers > 1 ? 2 * side.callers : 2;
  const total = Math.max(least, Math.round(side.perSecond * seconds));
  const before = cpuUs(pid);
  const found = await ask<{ ms: number; latenciesMs: number[] }>(url("ledge-inference"), {
    ...side.asks,
    callers: side.callers,
    total,
  });
  const answers = total * side.rows;
  const latencies = found.latenciesMs.toSorted((a, b) => a - b);
  return {
    answers,
    seconds: found.ms / 1000,
    requestsPerSecond: (answers * 1000) / found.ms,
    latencyMsMean: found.latenciesMs.reduce((sum, ms) => sum + ms, 0) / total,
    latencyMsP50: quantile(latencies, 0.5),
    latencyMsP99: quantile(latencies, 0.99),
    generatorCpuUs: 0,
    cpuUs: (cpuUs(pid) - before) / answers,
  };
}

/** How long the first caller waits when the model has to be fetched, verified and opened, and when `load` was called before. */
async function firstAnswers(
  workerd: RunningWorkerd,
  model: string,
  calls: readonly unknown[],
  plan: Plan,
): Promise<Fact[]> {
  const facts: Fact[] = [];
  for (const [what, loads] of [
    ["cold", false],
    ["after load", true],
  ] as const) {
    const all: number[] = [];
    for (let start = 0; start < plan.coldStarts; start++) {
      const { ms } = await ask<{ ms: number }>(workerd.url("ledge-inference"), { service: "fresh", calls, loads });
      all.push(ms);
    }
    const { median, min, max } = spreadOf(all);
    const value = `${median.toFixed(0)} ms (${min.toFixed(0)} to ${max.toFixed(0)}, ${all.length} times)`;
    facts.push({ name: `g  ${model}, first answer, ${what}`, value });
  }
  return facts;
}

async function ask<T>(url: string, body: unknown): Promise<T> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  if (response.status !== 200)
    throw new Error(`The inference Worker answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

function textCalls(): readonly PredictCall[] {
  return sentences.map((text) => ({ ...refOf(intent), inputs: [text], topK: 5, logits: false }));
}

/** Texts as the pipeline would feed them, one after the other, padded to the longest. */
function textFeed(texts: readonly string[]) {
  const files = new Map([["labels.json", readFileSync(join(dir, "labels.json"))]]);
  const servable = createServable({
    manifest: intent,
    files,
    run: () => Promise.reject(new Error("Nothing is run here.")),
  });
  if (!servable.ok) throw new Error(servable.fault.cause);
  const { prepare } = servable.value;
  const ids = texts.map((text) => {
    const made = prepare(text);
    const tensor = made.ok ? made.value.tensors.ids : undefined;
    if (tensor?.datatype !== "INT32") throw new Error("intent takes ids as INT32.");
    return [...tensor.data];
  });
  const length = Math.max(...ids.map((row) => row.length));
  const data = ids.flatMap((row) => [...row, ...new Array<number>(length - row.length).fill(0)]);
  return { ids: { type: "int32", dims: [texts.length, length], data } };
}

function secondFeed() {
  return {
    input_ids: { type: "int32", dims: [1, tokens], data: Array.from({ length: tokens }, (_, at) => 1 + at * 7) },
  };
}

function idFeed(rows: number, value?: number) {
  const data = Array.from({ length: rows * tokens }, (_, at) => String(value ?? (at * 7919) % sixLayers.vocabulary));
  return { type: "int64", dims: [rows, tokens], data };
}

function tensorCall({ manifest }: ReturnType<typeof transformerPackage>) {
  const tensor = ({ dims: shape, data }: ReturnType<typeof idFeed>) => ({ datatype: "INT64", shape, data });
  return { ...refOf(manifest), inputs: { ids: tensor(idFeed(1)), mask: tensor(idFeed(1, 1)) } };
}

function transformerPackage() {
  const open = { datatype: "INT64" as const, shape: [-1, -1] };
  return packageOf(
    "transformer",
    { "model.onnx": int8Transformer(sixLayers) },
    {
      inputs: [
        { name: "ids", ...open },
        { name: "mask", ...open },
      ],
      outputs: [{ name: "logits", datatype: "FP32", shape: [-1, sixLayers.classes] }],
      limits: { batchMax: callers },
    },
  );
}
