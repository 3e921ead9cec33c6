import { type ChatMessage, fail, ok, type Result } from "@ledge/contract";
import { turnsOf } from "./accept/openai.ts";
import { inspectTexts } from "./admit/inspect.ts";
import { type Entered, type Exchange, journeyOf } from "./app.ts";
import { assign } from "./assign/assign.ts";
import { classify } from "./dispatch/classify.ts";
import type { ChatCall } from "./exchange.ts";

/** What is looked at in a chat before it is answered: its characters, and what a guard model says of it. */

/** Turns of the caller that the guard reads: the newest. */
const turnsMax = 16;
/** Characters of a turn that it reads: its beginning. */
const turnCharsMax = 8_192;

/**
 * Whether a chat may be answered, by its tenant's policy. A guard that blocks is waited for; one that flags runs beside the
 * answer, and what it says in time stands in the answer's header, and in the log otherwise.
 * Errors: `input_refused`; `guard_refused`; `model_not_ready` when a guard that blocks cannot be asked: what the tenant wants
 * checked is not answered unchecked.
 */
export async function guarded(x: Exchange, entered: Entered<ChatCall>): Promise<Result<true>> {
  const { input, guard } = entered.principal.standing.tenant;
  const inspected = inspectTexts(turnsOf(entered.call).flatMap(textsOf), input, entered.model.manifest, x.trail);
  if (!inspected.ok || guard.mode === "off") return inspected;
  const verdict = judge(x, entered);
  if (guard.mode === "block") {
    const score = await verdict;
    if (!score.ok) return fail("model_not_ready", { cause: `guard '${guard.model}': ${score.fault.code}` });
    return score.value < guard.threshold ? ok(true) : refused(guard.model, score.value);
  }
  const flagged = verdict.then((score) => {
    if (!score.ok || score.value < guard.threshold) return;
    const rounded = score.value.toFixed(3);
    x.trail.flags = [...(x.trail.flags ?? []), `guard;model=${guard.model};score=${rounded}`];
    // The line of the request may have been written by then.
    console.log(JSON.stringify({ requestId: x.requestId, tenant: x.trail.tenant, guard: guard.model, score: rounded }));
  });
  x.waitUntil(flagged);
  return ok(true);
}

function refused(model: string, score: number): Result<never> {
  return fail("guard_refused", { detail: `'${model}' gives it ${score.toFixed(3)}.` });
}

/** The highest score of any of the caller's turns: what the labels that are not benign add up to. */
async function judge(x: Exchange, { call, principal, envelope }: Entered<ChatCall>): Promise<Result<number>> {
  const { guard } = principal.standing.tenant;
  const inputs = turnsOf(call)
    .filter(({ role }) => role === "user")
    .flatMap(textsOf)
    .slice(-turnsMax)
    .map((text) => text.slice(0, turnCharsMax));
  if (inputs.length === 0) return ok(0);
  const view = await x.runtime.catalog.view(x.waitUntil);
  const assigned = assign(view, { name: guard.model });
  if (!assigned.ok) return assigned;
  const asked = {
    task: "text-classification",
    model: { name: guard.model },
    inputs,
    topK: 1_000,
    logits: false,
  } as const;
  const journey = journeyOf(x, { deadlineMs: envelope.deadlineMs, signal: x.request.signal });
  const said = await classify(x.runtime.tiers, assigned.value.model, asked, journey, { timings: {} });
  if (!said.ok) return said;
  const scores = said.value.answer.predictions.map(({ top = [] }) =>
    top.reduce((sum, { label, score }) => (label === guard.benign ? sum : sum + score), 0),
  );
  return ok(Math.max(0, ...scores));
}

function textsOf({ content }: ChatMessage): readonly string[] {
  return typeof content === "string" ? [content] : (content ?? []).map(({ text }) => text);
}
