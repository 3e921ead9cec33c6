import { registerPackage } from "../../../scripts/local/packages.ts";
import { adminKey, startEdge, type TestEdge } from "../../support/ledge.ts";
import { deskOf, manifestOf } from "../../support/registry.ts";
import { ledge } from "./profiles/ledge.ts";
import type { Target } from "./trial.ts";

export interface RunningTarget {
  readonly target: Target;
  close(): Promise<void>;
}

/** The built Workers over this origin, with two models and two tenants. The Workers must have been built. */
export async function startLedge(originUrl: string): Promise<RunningTarget> {
  // Stale answers come where a rule has asked for them by the operator's API, and nowhere else.
  const gateway = { CACHE_STALE_WHILE_REVALIDATE_S: "0", CACHE_STALE_IF_ERROR_S: "0" };
  const edge = await startEdge({ originUrl, gateway });
  try {
    return { target: await targetOf(edge), close: () => edge.close() };
  } catch (error) {
    await edge.close();
    throw error;
  }
}

async function targetOf(edge: TestEdge): Promise<Target> {
  const { url } = edge;
  const [model, otherModel] = ["chat-one", "chat-two"];
  for (const name of [model, otherModel]) {
    // Nobody runs it: the origin is ours. The two differ by name alone.
    const weights = Buffer.from("weights");
    await registerPackage(deskOf(edge), manifestOf(name, weights, { task: "chat", tiers: ["origin"] }), () => weights);
  }
  const tenants = { a: "acme", b: "umbra" };
  const a = await edge.issueKey({ tenant: tenants.a });
  const b = await edge.issueKey({ tenant: tenants.b });
  const operator = ledge.operator?.({ url, adminKey });
  const target = { url, profile: ledge, keys: { a: a.key, b: b.key }, tenants, model, otherModel };
  return operator === undefined ? target : { ...target, operator };
}
