import { done, newAdmin, newKey } from "./directory.ts";
import type { Things } from "./isolation.ts";
import { type TestEdge, until } from "./ledge.ts";

/** What a key may that may do everything in its tenant. */
export const owner = [
  { actions: ["infer", "embed", "chat", "batch", "feedback", "admin-read", "admin-write"], models: ["*"] },
] as const;

/** As things are named, and nobody's. */
export const nobodys: Things = {
  tenant: "nobody",
  id: "0123456789abcdef01234567",
  project: "nowhere",
  user: "nobody",
  name: "nobody",
  model: "no-such-model",
  version: "9",
  alias: "nothing",
  sha256: "0".repeat(64),
  digest: "0".repeat(64),
  plan: "none",
  tier: "none",
  prompt: "what nobody asked",
  entry: "0".repeat(32),
  job: `job_${"0".repeat(28)}`,
  exchange: "an-exchange-that-never-was",
};

export interface TwoTenants {
  readonly theirs: Things;
  readonly theirKey: string;
  /** The other tenant's: may do everything there. */
  readonly mine: string;
  /** The other tenant's: may ask one model. */
  readonly scoped: string;
}

/** A tenant with one of everything, and another's keys. The origin must answer chats, and the edge `intent`. */
export async function twoTenants(edge: TestEdge): Promise<TwoTenants> {
  await done(edge, "POST", "/tenants", { tenant: "umbra" });
  await done(edge, "PUT", "/tenants/umbra/projects/secret", {});
  await done(edge, "PUT", "/tenants/umbra/members/bea", { role: "owner" });
  await newAdmin(edge, "ops", ["keys:read"]);
  const fields = { tenant: "umbra", name: "theirs", project: "secret", user: "bea", scopes: owner };
  const { key, id } = await newKey(edge, fields);
  const prompt = "what umbra asked";
  const entry = await keptAnswer(edge, key, prompt);
  const exchange = "an-exchange-of-umbra";
  const rating = { request_id: exchange, model: "intent@1", score: 1 };
  await expectStatus(await edge.post("/v1/feedback", key, rating), 202);
  const { versions } = await done<{ versions: { digest: string }[] }>(edge, "GET", "/models/intent");
  const digest = versions[0]?.digest ?? "";
  const known = { model: "tiny-chat", version: "1", alias: "stable", plan: "internal", tier: "standard" };
  const named = { tenant: "umbra", id, project: "secret", user: "bea", name: "ops", sha256: digest, digest };
  const mine = await newKey(edge, { tenant: "acme", name: "mine", scopes: owner });
  const few = [{ actions: ["infer", "embed", "chat"], models: ["intent"] }];
  const scoped = await newKey(edge, { tenant: "acme", name: "scoped", scopes: few });
  return {
    theirs: { ...known, ...named, prompt, entry, exchange, job: await jobOf(edge, key) },
    theirKey: key,
    mine: mine.key,
    scoped: scoped.key,
  };
}

/** The cache's name of the answer. */
async function keptAnswer(edge: TestEdge, key: string, content: string): Promise<string> {
  const body = { model: "tiny-chat", messages: [{ role: "user", content }], temperature: 0 };
  const answer = await edge.post("/v1/chat/completions", key, body);
  await expectStatus(answer, 200);
  return /key="?([\w-]+)/.exec(answer.headers.get("Cache-Status") ?? "")?.[1] ?? "";
}

/** The id of a job that was taken: who waits for nothing is rarely answered at once. */
async function jobOf(edge: TestEdge, key: string): Promise<string> {
  let taken = "";
  await until("a call is taken as a job", async () => {
    const body = { model: "tiny-chat", messages: [{ role: "user", content: "later" }] };
    const answer = await edge.post("/v1/chat/completions", key, body, { Prefer: "respond-async, wait=0" });
    taken = answer.status === 202 ? ((await answer.json()) as { id: string }).id : "";
    return taken !== "";
  });
  return taken;
}

async function expectStatus(answer: Response, status: number): Promise<void> {
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${answer.status} where ${status} was due: ${text}`);
}
