import { type Fault, headers, type Result } from "@ledge/contract";
import { allows, type ModelRef, mayServeStale, parseModelRef } from "@ledge/policy";
import { chatCallOf } from "./accept/openai.ts";
import type { Entered, Exchange } from "./app.ts";
import { assign } from "./assign/assign.ts";
import type { ChatCall } from "./exchange.ts";
import type { Reply } from "./reply.ts";

/** The models that may answer in place of the one that was asked for; nothing for a version by its number. */
export function fallbacksOf({ runtime }: Exchange, { name, version }: ModelRef): readonly string[] {
  return version === undefined ? (runtime.config.FALLBACKS[name] ?? []) : [];
}

/**
 * A chat whose model cannot answer, asked of the models that the deployment names in its place: another version, or a smaller one.
 * Not for who asked for a version by its number. `undefined` when none answers either.
 */
export async function fromFallback(
  x: Exchange,
  entered: Entered<ChatCall>,
  fault: Fault,
  ask: (entered: Entered<ChatCall>) => Promise<Result<Reply>>,
): Promise<Reply | undefined> {
  const { name, version } = entered.model;
  const texts = fallbacksOf(x, entered.call.model);
  if (texts.length === 0 || !mayServeStale(fault)) return undefined;
  const view = await x.runtime.catalog.view(x.waitUntil);
  const { trail } = x;
  const { arm, cache } = trail;
  for (const text of texts) {
    const assigned = assign(view, parseModelRef(text) ?? { name: text });
    if (!assigned.ok) continue;
    const { model } = assigned.value;
    if (model.name === name && model.version === version) continue;
    if (!chatCallOf(entered.call, model).ok) continue;
    if (!allows(entered.principal.scopes, "chat", model.name, model.version)) continue;
    const { shadow: _shadow, ...rest } = entered;
    trail.model = model;
    delete trail.arm;
    const reply = await ask({ ...rest, model });
    if (!reply.ok) continue;
    noteFailure(x, entered, arm, fault);
    const said = `for=${name}@${version}; code=${fault.code}`;
    return { ...reply.value, headers: { ...reply.value.headers, [headers.fallback]: said } };
  }
  trail.model = entered.model;
  if (arm !== undefined) trail.arm = arm;
  if (cache !== undefined) trail.cache = cache;
  return undefined;
}

/** The version that did not answer is counted for that: a canary is judged by it, though no caller saw it fail. */
function noteFailure(x: Exchange, { model }: Entered<ChatCall>, arm: Exchange["trail"]["arm"], { code }: Fault): void {
  const endedMs = x.runtime.nowMs();
  const outcome = { endedMs, latencyMs: endedMs - x.startedMs, code };
  x.runtime.tallies.record({ model: model.name, version: model.version, arm }, outcome, x.waitUntil);
}
