import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ModelManifest, modelManifest } from "@ledge/contract";
import { type RunningEdge, runEdge } from "../../edge/run.ts";
import { type Desk, operate, registerPackage } from "../../local/packages.ts";
import { repoRoot } from "../../repo.ts";
import type { Outcome } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { quantile } from "../statistics.ts";
import type { World } from "../world.ts";

const adminKey = "bench-operator-of-no-use-elsewhere";
/** What the way costs is measured, not whether it is right: at this threshold the verifier says yes to the pair below. */
const probabilityMin = 0.5;
const kept = "How do I reset my online banking password?";
const like = "how can I reset my online banking password";
/** Calls of each side, in turns; as many rounds as latency has. */
const callsPerRound = 40;

/**
 * A chat that is answered by the kept answer to another prompt, one call at a time, beside one found in memory: the difference is
 * embedding, index, rules, verifier and the look into KV. On Miniflare, with the real models.
 */
export async function measureSemanticHit(world: World, plan: Plan): Promise<Outcome> {
  const vars = { ...world.vars, ADMIN_KEY_HASH: createHash("sha256").update(adminKey).digest("hex") };
  const edge = await runEdge({ vars: { gateway: vars, operator: vars, identity: world.identity } });
  try {
    await prepare(edge, world);
    const exact: number[] = [];
    const semantic: number[] = [];
    for (let round = 0; round <= plan.rateRounds; round++) {
      for (let call = 0; call < callsPerRound; call++) {
        const [near, same] = [await timed(edge, world, like, "semantic"), await timed(edge, world, kept, "memory")];
        if (round === 0) continue;
        semantic.push(near);
        exact.push(same);
      }
    }
    const facts = [
      ["i  hit by meaning, one caller, ms: p50, p99", semantic],
      ["i  hit in memory, in turns with it, ms: p50, p99", exact],
      [
        "i  the difference: embedding, index, rules, verifier, KV, ms: p50, p99",
        semantic.map((ms, at) => ms - (exact[at] ?? 0)),
      ],
    ] as const;
    return { rows: [], aims: [], rounds: [], facts: facts.map(([name, ms]) => ({ name, value: said(ms) })) };
  } finally {
    await edge.close();
  }
}

function said(ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b);
  return `${quantile(sorted, 0.5).toFixed(1)}, ${quantile(sorted, 0.99).toFixed(1)} (${ms.length} calls)`;
}

/** Both models are there and loaded, and the first prompt is found by its meaning. */
async function prepare(edge: RunningEdge, world: World): Promise<void> {
  const desk: Desk = { edge: edge.url, adminKey };
  for (const name of ["embed", "same-answer"]) {
    const folder = join(repoRoot, "models", name, "1");
    const manifest: ModelManifest = modelManifest.parse(JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
    await registerPackage(desk, manifest, (path) => readFileSync(join(folder, path)));
  }
  const semantic = { enabled: true, probability_min: probabilityMin };
  const path = "/admin/v1/models/tiny-chat/cache";
  const set = await operate(
    desk,
    "PUT",
    path,
    JSON.stringify({ semantic, ttl_s: 3600, stale_while_revalidate_s: 0, stale_if_error_s: 0 }),
  );
  if (!set.ok) throw new Error(`the policy was refused: ${await set.text()}`);
  await ask(edge, world, kept);
  const endMs = Date.now() + 60_000;
  for (;;) {
    // Kept for a second only: after that it is not found by itself.
    const hit = await ask(edge, world, like, { "Ledge-Cache-Ttl": "1" });
    if (hit.includes("semantic")) return;
    if (Date.now() > endMs) throw new Error(`nothing is found by its meaning: ${hit}`);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
  }
}

async function timed(edge: RunningEdge, world: World, prompt: string, layer: string): Promise<number> {
  const startedMs = performance.now();
  const status = await ask(edge, world, prompt);
  const tookMs = performance.now() - startedMs;
  if (!status.includes(layer)) throw new Error(`'${prompt}' was to be found by ${layer}: ${status}`);
  return tookMs;
}

async function ask(edge: RunningEdge, world: World, prompt: string, more: Readonly<Record<string, string>> = {}) {
  const body = { model: "tiny-chat", temperature: 0, max_tokens: 16, messages: [{ role: "user", content: prompt }] };
  const answer = await fetch(`${edge.url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...world.headers, ...more },
    body: JSON.stringify(body),
  });
  await answer.text();
  return answer.headers.get("cache-status") ?? "";
}
