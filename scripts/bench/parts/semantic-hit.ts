import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PackageManifest, packageManifest } from "@ledge/contract";
import { blobsOf, refOf } from "../../../test/support/model-package.ts";
import { type Desk, operate, registerPackage } from "../../local/packages.ts";
import { repoRoot } from "../../repo.ts";
import { callerWorker } from "../bare-workers.ts";
import type { Aim, Fact, Outcome } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { cpuUs } from "../process-figures.ts";
import { quantile } from "../statistics.ts";
import { type RunningWorkerd, startWorkerd } from "../workerd.ts";
import { answerStore, builtWorker, scriptWorker, serviceBinding } from "../workerd-config.ts";
import type { World } from "../world.ts";

const adminKey = "bench-operator-of-no-use-elsewhere";
/** What the way costs is measured, not whether it is right: at this threshold the verifier says yes to the pair below. */
const probabilityMin = 0.5;
const kept = "How do I reset my online banking password?";
const like = "how can I reset my online banking password";
/** Calls of each side, in turns; as many rounds as latency has. */
const callsPerRound = 40;
const wantedMs = 15;

/** What one call took: by the clock, and of CPU time in workerd. */
interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

const sides = {
  meaning: "hit by meaning",
  memory: "hit in memory",
  embed: "`embed` by RPC, the first prompt",
  verify: "`same-answer` by RPC, the pair",
  way: "the way of those two alone",
} as const;
type SideName = keyof typeof sides;
type Turn = Readonly<Record<SideName, Took>>;

/**
 * A chat that is answered by the kept answer to another prompt, one call at a time, with the real models; beside it one found in
 * memory, and the two models asked by themselves. What is left of the difference is index, rules and KV.
 */
export async function measureSemanticHit(world: World, plan: Plan): Promise<Outcome> {
  const packages = ["embed", "same-answer"].map(readPackage);
  const vars = { ...world.vars, ADMIN_KEY_HASH: createHash("sha256").update(adminKey).digest("hex") };
  const workerd = await startWorkerd(
    [
      builtWorker("gateway", vars, true),
      builtWorker("operator", vars, false),
      builtWorker("identity", world.identity, false),
      builtWorker("meter", {}, false),
      builtWorker("semantic", {}, false),
      builtWorker("dispatch", world.vars, false),
      builtWorker("inference", {}, false),
      scriptWorker("caller", callerWorker, [serviceBinding("INFERENCE", "ledge-inference")], true),
      answerStore(),
    ],
    { blobs: Object.assign({}, ...packages.map(blobsOf)) },
  );
  try {
    await prepare(workerd, world, packages);
    const turns: Turn[] = [];
    const asks = asksOf(workerd, world, packages);
    for (let round = 0; round <= plan.rateRounds; round++) {
      for (let call = 0; call < callsPerRound; call++) {
        const turn = await turnOf(workerd, asks);
        if (round > 0) turns.push(turn);
      }
    }
    return { rows: [], aims: aimsOf(turns), rounds: [], facts: factsOf(turns) };
  } finally {
    workerd.close();
  }
}

function readPackage(name: string) {
  const folder = join(repoRoot, "models", name, "1");
  const manifest: PackageManifest = packageManifest.parse(JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
  const paths = [manifest.file, ...(manifest.files ?? [])].map(({ path }) => path);
  return { manifest, files: Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path))])) };
}

type Package = ReturnType<typeof readPackage>;
type Asks = Readonly<Record<SideName, () => Promise<void>>>;

async function turnOf({ pid }: RunningWorkerd, asks: Asks): Promise<Turn> {
  const turn: Partial<Record<SideName, Took>> = {};
  for (const name of Object.keys(sides) as SideName[]) {
    const [cpuBefore, startedMs] = [cpuUs(pid), performance.now()];
    await asks[name]();
    turn[name] = { ms: performance.now() - startedMs, cpuMs: (cpuUs(pid) - cpuBefore) / 1000 };
  }
  return turn as Turn;
}

function asksOf({ url }: RunningWorkerd, world: World, packages: readonly Package[]): Asks {
  const gateway = url("ledge-gateway");
  const found = async (prompt: string, layer: string) => {
    const status = await ask(gateway, world, prompt);
    if (!status.includes(layer)) throw new Error(`'${prompt}' was to be found by ${layer}: ${status}`);
  };
  const model = async (number: number, input: string) => {
    const manifest = packages[number]?.manifest;
    const call = { ...(manifest && refOf(manifest)), inputs: [input], topK: 2, logits: false };
    const answer = await fetch(url("caller"), { method: "POST", body: JSON.stringify(call) });
    if (!answer.ok) throw new Error(`${manifest?.name} answered ${await answer.text()}`);
    await answer.arrayBuffer();
  };
  return {
    meaning: () => found(like, "semantic"),
    memory: () => found(kept, "memory"),
    embed: () => model(0, like),
    verify: () => model(1, `${kept} [SEP] ${like}`),
    way: async () => {
      await (await fetch(url("caller"))).arrayBuffer();
    },
  };
}

const models = ({ embed, verify, way }: Turn, of: keyof Took) => embed[of] + verify[of] - 2 * way[of];
const difference = ({ meaning, memory }: Turn, of: keyof Took) => meaning[of] - memory[of];

function aimsOf(turns: readonly Turn[]): Aim[] {
  return (["ms", "cpuMs"] as const).flatMap((of) => {
    const by = of === "ms" ? "by the clock" : "of CPU time";
    return [
      { name: `(i) embedding and verification, p50 ${by}`, values: turns.map((turn) => models(turn, of)) },
      { name: `(i) a hit by meaning less one in memory, p50 ${by}`, values: turns.map((turn) => difference(turn, of)) },
    ].map(({ name, values }) => {
      const middle = quantile(
        values.toSorted((a, b) => a - b),
        0.5,
      );
      return { name, aim: `≤ ${wantedMs} ms`, reached: `${middle.toFixed(1)} ms`, met: middle <= wantedMs };
    });
  });
}

function factsOf(turns: readonly Turn[]): Fact[] {
  const said = (name: string, pick: (turn: Turn, of: keyof Took) => number): Fact => {
    const [ms, cpuMs] = (["ms", "cpuMs"] as const).map((of) =>
      turns.map((turn) => pick(turn, of)).toSorted((a, b) => a - b),
    );
    const [half = 0, most = 0, cpu = 0] = [
      ms && quantile(ms, 0.5),
      ms && quantile(ms, 0.99),
      cpuMs && quantile(cpuMs, 0.5),
    ];
    return {
      name: `i  ${name}, ms: p50, p99; CPU p50`,
      value: `${half.toFixed(1)}, ${most.toFixed(1)}; ${cpu.toFixed(1)}`,
    };
  };
  return [
    ...Object.entries(sides).map(([side, name]) => said(name, (turn, of) => turn[side as SideName][of])),
    said(
      "index, rules, KV and hops: what the models leave of the difference",
      (turn, of) => difference(turn, of) - models(turn, of),
    ),
  ];
}

/** Both models are there and loaded, and the first prompt is found by its meaning. */
async function prepare({ url }: RunningWorkerd, world: World, packages: readonly Package[]): Promise<void> {
  const gateway = url("ledge-gateway");
  const desk: Desk = { edge: gateway, adminKey };
  for (const { manifest, files } of packages) {
    await registerPackage(desk, manifest, (path) => files[path] ?? new Uint8Array());
  }
  const semantic = { enabled: true, probability_min: probabilityMin };
  const policy = { semantic, ttl_s: 3600, stale_while_revalidate_s: 0, stale_if_error_s: 0 };
  const set = await operate(desk, "PUT", "/admin/v1/models/tiny-chat/cache", JSON.stringify(policy));
  if (!set.ok) throw new Error(`the policy was refused: ${await set.text()}`);
  await ask(gateway, world, kept);
  const endMs = Date.now() + 60_000;
  for (;;) {
    // Kept for a second only: after that it is not found by itself.
    const hit = await ask(gateway, world, like, { "Ledge-Cache-Ttl": "1" });
    if (hit.includes("semantic")) return;
    if (Date.now() > endMs) throw new Error(`nothing is found by its meaning: ${hit}`);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
  }
}

async function ask(gateway: string, world: World, prompt: string, more: Readonly<Record<string, string>> = {}) {
  const body = { model: "tiny-chat", temperature: 0, max_tokens: 16, messages: [{ role: "user", content: prompt }] };
  const answer = await fetch(`${gateway}/v1/chat/completions`, {
    method: "POST",
    headers: { ...world.headers, ...more },
    body: JSON.stringify(body),
  });
  await answer.text();
  return answer.headers.get("cache-status") ?? "";
}
