import { Gate } from "../admit/gate.ts";
import { LoadWatch } from "./openai/load-watch.ts";
import { OpenAiEngine } from "./openai/openai-engine.ts";
import { probe } from "./openai/probe.ts";
import type { Registry } from "./registry.ts";
import type { RemoteSpec } from "./remote-spec.ts";

/**
 * Gives every model of a server its seat. The server need not be up: it may start later than we do, or be away for a while. What is
 * odd about it is told to `say`, a sentence each. Throws {@link StartError} when it refuses our key.
 */
export async function addRemote(spec: RemoteSpec, registry: Registry, say: (what: string) => void): Promise<void> {
  const watch = new LoadWatch(spec.metricsUrl ?? new URL("/metrics", spec.url).href, nowMs);
  for (const { name, version, servedName, task } of spec.models) {
    const engine = new OpenAiEngine({ name, version, task }, spec, servedName ?? name);
    registry.add({ engine, gate: new Gate(spec, () => performance.now()), watch });
  }
  for (const sentence of await probe(spec)) say(sentence);
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
