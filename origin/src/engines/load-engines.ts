import { Gate } from "../admit/gate.ts";
import { isNamed, type ModelName, ruleOf, strangers } from "../batch/batch-settings.ts";
import { graphSeat, mayBatch } from "../batch/batched-seat.ts";
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
      return { ...(await this.#open(pack)), isPackage: true };
    } catch (error) {
      if (error instanceof StartError) throw error;
      const { name, version } = pack.manifest;
      const reason = String(error).slice(0, 500);
      throw new StartError(
        `${name}@${version} in ${pack.dir} cannot be loaded (${reason}): make it anew or leave it out of MODELS.`,
      );
    }
  }

  async #open(pack: ModelPackage): Promise<Seat> {
    const { manifest } = pack;
    const { threads, batching, predictRunningMax, predictWaitingMax } = this.#config;
    if (manifest.task === "chat") return seat(await GeneratorThread.load(pack, threads), this.#config);
    const may = mayBatch(manifest);
    const limits = { rowsMax: manifest.limits.batchMax, runningMax: predictRunningMax, waitingMax: predictWaitingMax };
    const rule = may ? ruleOf(batching, manifest, limits) : undefined;
    if (!may && isNamed(batching, manifest)) {
      noteToStderr("warn", `BATCHING names ${manifest.name}, whose graph has no open batch axis: its calls run alone.`);
    }
    const engine = await loadGraph(pack, this.#pool, rule);
    return rule === undefined ? seat(engine, this.#config) : graphSeat(engine, rule);
  }
}

/** Loads every configured model and runs it once, one after the other. Throws {@link StartError}. */
export async function loadEngines(config: Config, registry: Registry, loader: Loader): Promise<void> {
  const packages = await readPackages(config.modelsDir, config.models);
  const served = config.remotes.flatMap(({ models }): readonly ModelName[] => models);
  checkNames(config, [...packages.map(({ manifest }) => manifest), ...served]);
  for (const { manifest } of packages) registry.expect(manifest.name, manifest.version);
  for (const script of config.fakes) registry.add(seat(new FakeEngine(script), config));
  await Promise.all(
    config.remotes.map((spec) => addRemote(spec, registry, config.batching, (what) => noteToStderr("warn", what))),
  );
  registry.known();
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

/** A model that is brought later may have any name. */
function checkNames({ batching, registryUrl }: Config, models: readonly ModelName[]): void {
  const [stranger] = registryUrl === undefined ? strangers(batching, models) : [];
  if (stranger === undefined) return;
  throw new StartError(`BATCHING names '${stranger}', which is not served here: correct the name or drop it.`);
}
