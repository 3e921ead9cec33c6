import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "../local/port.ts";
import { venvOf } from "../python-venv.ts";
import { repoRoot } from "../repo.ts";
import { requirements, startCluster, stopCluster } from "./cluster.ts";
import type { ClusterSettings } from "./settings.ts";

/**
 * `npm run measure:cluster`: what splitting a model costs on this machine. The same application serves the same model in one
 * process, split over two and stacked over two, one after the other; each is asked by one caller and by four.
 */

const tokens = 100;
const rounds = 5;
const forms = [
  ["one process", {}],
  ["layers split over two (tensor)", { tensor_parallel_size: 2 }],
  ["layers stacked over two (pipeline)", { pipeline_parallel_size: 2 }],
] as const satisfies readonly (readonly [string, Partial<ClusterSettings>])[];

const { values: given } = parseArgs({
  options: { gpu: { type: "boolean", default: false }, "gpus-per-process": { type: "string", default: "1" } },
});
const stateDir = mkdtempSync(join(tmpdir(), "ledge-cluster-"));
const [port, rayPort] = [await freePort(0, "port"), await freePort(0, "port")];

if (given.gpu) await measureGpus(given["gpus-per-process"]);
else await measureHere();

async function measureGpus(share: string): Promise<void> {
  const script = join(import.meta.dirname, "measure_gpu.py");
  const env = { ...process.env, PYTHONPATH: join(repoRoot, "origin"), RAY_USAGE_STATS_ENABLED: "0" };
  const python = await venvOf(requirements);
  process.exitCode = spawnSync(python, [script, "--gpus-per-process", share], { env, stdio: "inherit" }).status ?? 1;
}

async function measureHere(): Promise<void> {
  try {
    process.stdout.write(
      "| | bytes of parameters, by process | first token ms | tokens/s, one caller | tokens/s, four |\n",
    );
    process.stdout.write("| --- | --- | ---: | ---: | ---: |\n");
    for (const [name, form] of forms) process.stdout.write(await row(name, form));
  } finally {
    await stopCluster(stateDir);
  }
}

async function row(name: string, form: Partial<ClusterSettings>): Promise<string> {
  const settings: ClusterSettings = {
    model_name: "tiny-chat",
    model_source: join(repoRoot, "models", "tiny-chat", "1"),
    placement: "PACK",
    max_replicas: 1,
    ...form,
    ...("tensor_parallel_size" in form || "pipeline_parallel_size" in form ? { placement: "STRICT_SPREAD" } : {}),
  };
  const { url } = await startCluster({ stateDir, port, rayPort, settings, step: (_name, run) => run() });
  const { processes } = (await (await fetch(`${url}/shards`)).json()) as { processes: { parameter_bytes: number }[] };
  await ask(url);
  const alone = await repeated(() => ask(url));
  const four = await repeated(async () => {
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 4 }, () => ask(url)));
    return { firstMs: 0, perS: (4000 * tokens) / (performance.now() - startedMs) };
  });
  const bytes = processes.map(({ parameter_bytes: each }) => each.toLocaleString("en")).join(" + ");
  const firstMs = median(alone.map((one) => one.firstMs)).toFixed(0);
  const perS = [alone, four].map((all) => median(all.map((one) => one.perS)).toFixed(0));
  return `| ${name} | ${bytes} | ${firstMs} | ${perS.join(" | ")} |\n`;
}

interface Taken {
  readonly firstMs: number;
  /** Tokens per second behind the first one; of several callers, of all together from the beginning. */
  readonly perS: number;
}

/** One streamed completion of exactly so many tokens. */
async function ask(url: string): Promise<Taken> {
  const startedMs = performance.now();
  const body = {
    model: "tiny-chat",
    prompt: "The",
    temperature: 0,
    max_tokens: tokens,
    stream: true,
    ignore_eos: true,
  };
  const answer = await fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, return_token_ids: true }),
  });
  if (!answer.ok || answer.body === null) throw new Error(await answer.text());
  let firstMs = 0;
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body) {
    firstMs ||= performance.now() - startedMs;
    text += decoder.decode(chunk, { stream: true });
  }
  const ids = [...text.matchAll(/"token_ids":\[([^\]]*)\]/g)].flatMap(([, list = ""]) =>
    list.split(",").filter(Boolean),
  );
  if (ids.length !== tokens || !text.includes("[DONE]")) throw new Error(`not ${tokens} tokens: ${text.slice(-300)}`);
  return { firstMs, perS: (1000 * (tokens - 1)) / (performance.now() - startedMs - firstMs) };
}

async function repeated(run: () => Promise<Taken>): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  for (let round = 0; round < rounds; round++) taken.push(await run());
  return taken;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
