import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registerPackage } from "../../../scripts/local/packages.ts";
import { freePort } from "../../../scripts/local/port.ts";
import { adminKey, startEdge, type TestEdge } from "../../support/ledge.ts";
import { deskOf, manifestOf } from "../../support/registry.ts";
import { ledge, modelTerms } from "./profiles/ledge.ts";
import type { Target } from "./trial.ts";

export interface RunningTarget {
  readonly target: Target;
  close(): Promise<void>;
}

const model = "chat-one";

/** The built Workers over this origin, on a disk of their own, so that they can be started again. They must have been built. */
export async function startLedge(originUrl: string): Promise<RunningTarget> {
  const dataDir = mkdtempSync(join(tmpdir(), "ledge-limits-"));
  const port = await freePort(0, "--port");
  const start = () => startEdge({ originUrl, dataDir, port });
  let edge = await start();
  const close = async () => {
    await edge.close();
    rmSync(dataDir, { recursive: true });
  };
  try {
    await registerModel(edge);
  } catch (error) {
    await close();
    throw error;
  }
  const { url } = edge;
  const restart = async () => {
    await edge.close();
    edge = await start();
  };
  const target = { url, profile: ledge, model, issue: (allowed: object) => ledge.issue(allowed, { url, adminKey }) };
  return { target: { ...target, restart }, close };
}

/** Before the first call: gateways know terms for some seconds. */
async function registerModel(edge: TestEdge): Promise<void> {
  // Nobody runs it: the origin is the suite's.
  const weights = Buffer.from("weights");
  await registerPackage(deskOf(edge), manifestOf(model, weights, { task: "chat", tiers: ["origin"] }), () => weights);
  const answer = await fetch(`${edge.url}/admin/v1/models/${model}/terms`, {
    method: "PUT",
    headers: { Authorization: `Bearer ${adminKey}`, "Content-Type": "application/json" },
    body: JSON.stringify(modelTerms),
  });
  if (!answer.ok) throw new Error(`terms of ${model} were refused: ${answer.status} ${await answer.text()}`);
}
