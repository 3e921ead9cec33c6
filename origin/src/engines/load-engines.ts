import { Gate } from "../admit/gate.ts";
import type { Config } from "../config.ts";
import { noteToStderr } from "../observe/log.ts";
import { addRemote } from "./add-remote.ts";
import type { Engine } from "./engine.ts";
import { FakeEngine } from "./fake/fake-engine.ts";
import { type ModelPackage, readPackages, StartError } from "./model-package.ts";
import type { Registry, Seat } from "./registry.ts";

/** Loads every configured model and runs it once, one after the other. Throws {@link StartError}. */
export async function loadEngines(config: Config, registry: Registry): Promise<void> {
  const packages = await readPackages(config.modelsDir, config.models);
  for (const { manifest } of packages) registry.expect(manifest.name, manifest.version);
  for (const script of config.fakes) registry.add(seat(new FakeEngine(script), config));
  await Promise.all(config.remotes.map((spec) => addRemote(spec, registry, noteToStderr)));
  for (const each of packages) registry.add(await seatOf(each, config));
  if (registry.seats().length === 0 && config.registryUrl === undefined) {
    throw new StartError(
      `No model in ${config.modelsDir} names the tier 'origin': add one, or set ENGINES, REGISTRY_URL, MODELS or FAKE_MODELS.`,
    );
  }
}

/** Loads a package and gives it its door. Throws {@link StartError}. */
export async function seatOf(each: ModelPackage, config: Config): Promise<Seat> {
  return seat(await loadPackage(each, config), config);
}

/** Native code is imported by who needs it: an origin of fakes starts in a blink. */
async function loadPackage(each: ModelPackage, config: Config): Promise<Engine> {
  try {
    return each.manifest.task === "chat"
      ? await (await import("./onnx/generator.ts")).loadGenerator(each, config.threads)
      : await (await import("./onnx/load-graph.ts")).loadGraph(each, config.threads);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const { name, version } = each.manifest;
    const reason = String(error).slice(0, 500);
    throw new StartError(
      `${name}@${version} in ${each.dir} cannot be loaded (${reason}): make it anew or leave it out of MODELS.`,
    );
  }
}

function seat(engine: Engine, config: Config): Seat {
  const limits =
    engine.model.task === "chat"
      ? { runningMax: config.chatRunningMax, waitingMax: config.chatWaitingMax }
      : { runningMax: config.predictRunningMax, waitingMax: config.predictWaitingMax };
  return { engine, gate: new Gate(limits, () => performance.now()) };
}
