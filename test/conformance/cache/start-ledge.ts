import { createHash, randomBytes } from "node:crypto";
import { type RunningEdge, runEdge } from "../../../scripts/edge/run.ts";
import { type Desk, operate, registerPackage } from "../../../scripts/local/packages.ts";
import { manifestOf } from "../../support/registry.ts";
import { ledge } from "./profiles/ledge.ts";
import type { Target } from "./trial.ts";

export interface RunningTarget {
  readonly target: Target;
  close(): Promise<void>;
}

/** The built Workers over this origin, with two models and two tenants. The Workers must have been built. */
export async function startLedge(originUrl: string): Promise<RunningTarget> {
  const adminKey = randomBytes(16).toString("hex");
  const vars = {
    ORIGIN_URL: originUrl,
    ORIGIN_SECRET: randomBytes(16).toString("hex"),
    ADMIN_KEY_HASH: createHash("sha256").update(adminKey).digest("hex"),
    LOG: "failures",
  };
  const edge = await runEdge({ vars: { gateway: vars } });
  try {
    return { target: await targetOf(edge, adminKey), close: () => edge.close() };
  } catch (error) {
    await edge.close();
    throw error;
  }
}

async function targetOf({ url }: RunningEdge, adminKey: string): Promise<Target> {
  const desk: Desk = { edge: url, adminKey };
  const [model, otherModel] = ["chat-one", "chat-two"];
  for (const name of [model, otherModel]) {
    // Nobody runs it: the origin is ours. The two differ by name alone.
    const weights = Buffer.from("weights");
    await registerPackage(desk, manifestOf(name, weights, { task: "chat", tiers: ["origin"] }), () => weights);
  }
  const tenants = { a: "acme", b: "umbra" };
  const keys = { a: await keyFor(desk, tenants.a), b: await keyFor(desk, tenants.b) };
  const operator = ledge.operator?.({ url, adminKey });
  return { url, profile: ledge, keys, tenants, model, otherModel, ...(operator === undefined ? {} : { operator }) };
}

async function keyFor(desk: Desk, tenant: string): Promise<string> {
  const fields = { tenant, name: "conformance", requests_per_minute: 1_000_000 };
  const answer = await operate(desk, "POST", "/admin/v1/keys", JSON.stringify(fields));
  if (answer.status !== 201) throw new Error(`no key: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { key: string }).key;
}
