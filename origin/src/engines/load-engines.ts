import { Gate } from "../admit/gate.ts";
import type { Config } from "../config.ts";
import { noteToStderr } from "../observe/log.ts";
import { addRemote } from "./add-remote.ts";
import type { Engine } from "./engine.ts";
import { FakeEngine } from "./fake/fake-engine.ts";
import { type ModelPackage, readPackages, StartError } from "./model-package.ts";
import { GeneratorThread } from "./onnx/generator-thread.ts";
import { loadGraph } from "./onnx/load-graph.ts";
import { lookAtMachine } from "./onnx/machine.ts";
import { SessionPool } from "./onnx/session-pool.ts";
import type { Registry, Seat } from "./registry.ts";

/** Loads packages, each with its door, over one pool of sessions. */
export class Loader {
  readonly #config: Config;
  readonly #pool: SessionPool;

  constructor(config: Config) {
    this.#config = config;
    const { threads, provider } = config;
    this.#pool = new SessionPool({
      threads,
      provider,
      machine: lookAtMachine,
      say: (what) => noteToStderr("info", what),
    });
  }

  /** Loads a package and gives it its door. Throws {@link StartError}. */
  async seatOf(pack: ModelPackage): Promise<Seat> {
    try {
      const engine =
        pack.manifest.task === "chat"
          ? await GeneratorThread.load(pack, this.#config.threads)
          : await loadGraph(pack, this.#pool);
      return { ...seat(engine, this.#config), isPackage: true };
    } catch (error) {
      if (error instanceof StartError) throw error;
      const { name, version } = pack.manifest;
      const reason = String(error).slice(0, 500);
      throw new StartError(
        `${name}@${version} in ${pack.dir} cannot be loaded (${reason}): make it anew or leave it out of MODELS.`,
      );
    }
  }
}

/** Loads every configured model and runs it once, one after the other. Throws {@link StartError}. */
export async function loadEngines(config: Config, registry: Registry, loader: Loader): Promise<void> {
  const packages = await readPackages(config.modelsDir, config.models);
  for (const { manifest } of packages) registry.expect(manifest.name, manifest.version);
  for (const script of config.fakes) registry.add(seat(new FakeEngine(script), config));
  await Promise.all(config.remotes.map((spec) => addRemote(spec, registry, (what) => noteToStderr("warn", what))));
  for (const pack of packages) registry.add(await loader.seatOf(pack));
  if (registry.seats().length === 0 && config.registryUrl === undefined) {
    throw new StartError(
      `No model in ${config.modelsDir} names the tier 'origin': add one or set REGISTRY_URL or ENGINES, or set MODELS or FAKE_MODELS.`,
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
