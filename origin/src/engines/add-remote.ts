import { Gate } from "../admit/gate.ts";
import { type BatchSettings, isNamed, ruleOf } from "../batch/batch-settings.ts";
import { tensorSeat } from "../batch/batched-seat.ts";
import type { EngineServer } from "./call-server.ts";
import { OipEngine, type OipTransport } from "./oip/oip-engine.ts";
import { probeOip } from "./oip/probe.ts";
import { RestTransport } from "./oip/rest-transport.ts";
import { LoadWatch } from "./openai/load-watch.ts";
import { OpenAiEngine } from "./openai/openai-engine.ts";
import { probeOpenAi } from "./openai/probe.ts";
import { type Rousing, rouse } from "./openai/rouse.ts";
import type { Registry } from "./registry.ts";
import type { OipSpec, OpenAiSpec, RemoteSpec } from "./remote-spec.ts";
import { Sleeper } from "./sleeper.ts";

type Keyed<S> = S & Pick<RemoteSpec, "key">;

/**
 * Gives every model of a server its seat. The server need not be up: it may start later than we do, or be away for a while. What is
 * odd about it is told to `say`, a sentence each. Throws {@link StartError} when it refuses our key.
 */
export async function addRemote(
  spec: RemoteSpec,
  registry: Registry,
  batching: BatchSettings,
  say: (what: string) => void,
): Promise<void> {
  const sentences = spec.kind === "openai" ? await addOpenAi(spec, registry) : await addOip(spec, registry, batching);
  for (const model of spec.kind === "openai" ? spec.models : []) {
    if (isNamed(batching, model)) say(`BATCHING names ${model.name}, whose server shares its runs by itself: drop it.`);
  }
  for (const sentence of sentences) say(sentence);
}

function addOpenAi(spec: Keyed<OpenAiSpec>, registry: Registry): Promise<readonly string[]> {
  const watch = new LoadWatch(spec.metricsUrl ?? new URL("/metrics", spec.url).href, nowMs);
  for (const { name, version, servedName, task } of spec.models) {
    const served = servedName ?? name;
    const abilities = { resumes: spec.resume, sleeper: sleeperOf(spec, served, task) };
    const engine = new OpenAiEngine({ name, version, task }, spec, served, abilities);
    registry.add({ engine, gate: gateOf(spec), watch });
  }
  return probeOpenAi(spec);
}

function sleeperOf(spec: Keyed<OpenAiSpec>, servedName: string, task: Rousing["task"]): Sleeper | undefined {
  const { wake } = spec;
  if (wake === undefined) return undefined;
  return new Sleeper({
    rouse: () => rouse({ server: spec, wake, servedName, task }),
    usualMs: wake.seconds * 1_000,
    ...(wake.url === undefined ? { idleMs: wake.idleSeconds * 1_000 } : {}),
    nowMs,
  });
}

/** Triton and its like share runs by themselves: we do it for the models that the settings name. */
async function addOip(spec: Keyed<OipSpec>, registry: Registry, batching: BatchSettings): Promise<readonly string[]> {
  const transport = await transportOf(spec, spec.binary);
  for (const { name, version, servedName, servedVersion } of spec.models) {
    const served = { name: servedName ?? name, version: servedVersion };
    const engine = new OipEngine({ name, version, task: "tensor" }, transport, served);
    const limits = { rowsMax: undefined, runningMax: sharedRunsAtOnce, waitingMax: spec.waitingMax };
    const rule = isNamed(batching, { name, version }) ? ruleOf(batching, { name, version }, limits) : undefined;
    registry.add(rule === undefined ? { engine, gate: gateOf(spec) } : tensorSeat(engine, rule));
  }
  return probeOip(spec, transport);
}

/** One that the server works on, one that is on its way. */
const sharedRunsAtOnce = 2;

/** gRPC or REST, as the URL says; gRPC is imported by who speaks it. `binary` as in `OipSpec`. */
export async function transportOf(server: EngineServer, binary: boolean | undefined): Promise<OipTransport> {
  if (server.url.startsWith("grpc")) return new (await import("./oip/grpc-transport.ts")).GrpcTransport(server);
  return new RestTransport(server, binary);
}

function gateOf(limits: Pick<RemoteSpec, "runningMax" | "waitingMax">): Gate {
  return new Gate(limits, () => performance.now());
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
