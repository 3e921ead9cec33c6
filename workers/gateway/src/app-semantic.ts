import { pairText } from "@ledge/policy";
import type { Exchange } from "./app.ts";
import { assign } from "./assign/assign.ts";
import type { Found, Miss } from "./cache/call.ts";
import type { Near, Placed } from "./cache/semantic/near.ts";
import type { NearCandidate } from "./cache/semantic/ports.ts";
import { classify } from "./dispatch/classify.ts";
import type { DeployedModel } from "./exchange.ts";
import { inTime } from "./in-time.ts";

/** The end of the cache's way, where it is switched on: an answer to a prompt that means the same. */

/** Longer nobody waits for it: then the call is a miss. A model that is being loaded takes longer. Milliseconds. */
const lookMsMax = 250;
/** For an embedding that comes late, and is kept for the next prompts. Milliseconds. */
const placeMsMax = 5_000;

/** What serves the call after all, or the same miss, which now also tells the index of what it keeps. */
export async function orLike(x: Exchange, miss: Miss): Promise<Found | Miss> {
  const { near } = miss;
  if (near === undefined) return miss;
  const placed = place(x, near).catch(() => undefined);
  const found = await inTime(lookMsMax, like(x, near, placed));
  if (near.unreadable > 0) sayUnreadable(x);
  if (found !== undefined) return found;
  return {
    ...miss,
    keep(value) {
      const outcome = miss.keep(value);
      if (outcome.kind === "forward" && outcome.stored) x.waitUntil(placed.then((it) => it && near.keep(it)));
      return outcome;
    },
  };
}

function sayUnreadable({ runtime, trail, waitUntil }: Exchange): void {
  if (trail.model === undefined) return;
  const { name: model, version } = trail.model;
  runtime.tallies.recordCacheEvent({ model, version, arm: trail.arm }, "unsealed", waitUntil);
}

async function like(x: Exchange, near: Near, placing: Promise<Placed | undefined>): Promise<Found | undefined> {
  const placed = await placing;
  if (placed === undefined) return undefined;
  const candidates = await near.candidates(placed);
  const [nearest] = candidates;
  if (nearest === undefined) return undefined;
  // Read while it is judged, as it is mostly the one that is taken.
  near.fetch(nearest);
  const probabilities = await judge(x, near, candidates);
  const best = probabilities.indexOf(Math.max(...probabilities));
  const [candidate, probability = 0] = [candidates[best], probabilities[best]];
  if (candidate === undefined || probability < near.rule.probabilityMin) return undefined;
  return await near.take(candidate, placed.embedder, probability);
}

async function place(x: Exchange, { rule, prompt }: Near): Promise<Placed | undefined> {
  const model = await modelOf(x, rule.embedder);
  const predictions = model && (await ask(x, model, [prompt], placeMsMax));
  const embedding = predictions?.[0]?.embedding;
  return model === undefined || embedding === undefined
    ? undefined
    : { embedder: model.digest, vector: Float32Array.from(embedding) };
}

/** For each candidate the probability that it wants the same answer; none without a verifier. */
async function judge(x: Exchange, near: Near, candidates: readonly NearCandidate[]): Promise<readonly number[]> {
  const model = await modelOf(x, near.rule.verifier);
  const pairs = candidates.map((candidate) => pairText(candidate.prompt, near.prompt));
  const predictions = model && (await ask(x, model, pairs, lookMsMax));
  return predictions?.map(({ top }) => top?.find(({ label }) => label === "same")?.score ?? 0) ?? [];
}

async function modelOf(x: Exchange, name: string): Promise<DeployedModel | undefined> {
  const assigned = assign(await x.runtime.catalog.view(x.waitUntil), { name });
  return assigned.ok ? assigned.value.model : undefined;
}

/** Nothing of it shows in what is said of the call itself. */
async function ask(x: Exchange, model: DeployedModel, inputs: readonly string[], msMax: number) {
  const { tiers, nowMs } = x.runtime;
  const task = model.manifest.task === "embedding" ? "embedding" : "text-classification";
  const call = { task, model: { name: model.name }, inputs, topK: 2, logits: false } as const;
  const journey = { requestId: x.requestId, deadlineMs: nowMs() + msMax, signal: x.request.signal };
  const answer = await classify(tiers, model, call, journey, { timings: {} });
  return answer.ok ? answer.value.answer.predictions : undefined;
}
