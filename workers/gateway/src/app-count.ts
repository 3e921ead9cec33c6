import type { Prompt } from "@ledge/contract";
import type { Exchange } from "./app.ts";
import type { ChatCall, ClassifyCall, DeployedModel } from "./exchange.ts";

/** What of a call is a prompt, and how many tokens it is: asked of the inference Worker before the call is admitted. */

/** How long a call waits for that: a tokenizer that is not at hand is fetched in it. */
const countMsMax = 1_000;

/** Texts for a model's own steps; pictures and sounds are not counted. */
export function promptOfInputs<C extends Pick<ClassifyCall, "inputs">>({ inputs }: C): Prompt | undefined {
  const texts = inputs.filter((input) => typeof input === "string");
  return texts.length === inputs.length ? { texts } : undefined;
}

export function promptOfChat({ body }: ChatCall): Prompt {
  return { chat: body };
}

/** As many as the model's own tokenizer makes of it, or `undefined` when that is not known in time. Never fails. */
export async function tokensIn(
  x: Exchange,
  { name, version, digest, manifest }: DeployedModel,
  prompt: Prompt | undefined,
  deadlineMs: number,
): Promise<number | undefined> {
  if (prompt === undefined || manifest.preprocess === undefined) return undefined;
  const { tiers, nowMs } = x.runtime;
  const latestMs = Math.min(deadlineMs, nowMs() + countMsMax);
  const counted = await tiers.edge.count({ model: name, version, digest, prompt }, latestMs);
  return counted.ok ? counted.value : undefined;
}
