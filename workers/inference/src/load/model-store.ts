import { type Fault, fail, ok, type PackageManifest, type PackageRef, type Result } from "@ledge/contract";
import type { Session } from "../run/run-session.ts";
import { withExternalWeights } from "./external-weights.ts";
import type { FoundPackage } from "./find-package.ts";
import { type Host, Hosts, type Runtime } from "./hosts.ts";
import { type Holding, type Need, needOf, planRoom } from "./plan-room.ts";

/** What the store needs of a loaded model. */
export interface Served {
  /** True when no call waits for it and none is being run. */
  readonly isIdle: boolean;
  /** Comes back when all who wait now have been answered or have gone away. */
  settle(): Promise<void>;
  /** From here on it answers nobody. */
  close(): void;
}

export interface StorePorts<Model extends Served> {
  readonly find: (ref: PackageRef) => Promise<Result<FoundPackage>>;
  readonly startRuntime: () => Runtime;
  readonly serve: (
    manifest: PackageManifest,
    files: ReadonlyMap<string, Uint8Array>,
    session: Session,
  ) => Result<Model>;
  /** What all runtimes together may take, bytes. */
  readonly memoryBytesMax: number;
  /** Runs work that must not interleave with runs of any model. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

interface Loaded<Model> {
  readonly ref: PackageRef;
  readonly model: Model;
  readonly session: Session;
  readonly host: Host;
  readonly need: Need;
  readonly loadMs: number;
  usedAt: number;
}

/** Someone loads it. Others wait for a sign of life, never for a promise of that call. */
interface Loading {
  need: Need | undefined;
  aliveMs: number;
}

/** How often who waits for a load looks again, and after how long without a sign of life it loads by itself. */
const lookMs = 5;
const silentMsMax = 5_000;

/**
 * The models of the isolate: loads them at their first call, lets the least recently used go when memory is short, and
 * gives memory back by letting whole runtimes go.
 */
export class ModelStore<Model extends Served> {
  readonly #ports: StorePorts<Model>;
  readonly #loaded = new Map<string, Loaded<Model>>();
  readonly #loading = new Map<string, Loading>();
  /** Told to be unloaded here: refused until told to be loaded. */
  readonly #unloaded = new Set<string>();
  /** The last failure of each load, for those who waited for it. */
  readonly #failed = new Map<string, { readonly fault: Fault; readonly atMs: number }>();
  readonly #hosts: Hosts;
  #uses = 0;

  constructor(ports: StorePorts<Model>) {
    this.#ports = ports;
    this.#hosts = new Hosts(ports.startRuntime);
  }

  /** What is loaded, with the milliseconds that took. */
  get loaded(): readonly Pick<Loaded<Model>, "ref" | "model" | "loadMs">[] {
    return [...this.#loaded.values()];
  }

  get heapBytes(): number {
    return this.#hosts.heapBytes;
  }

  /**
   * The model at once, which counts as a use of it, or why it may not be used; undefined when that takes a load.
   * Faults: as {@link get}.
   */
  ready(ref: PackageRef): Result<Model> | undefined {
    if (this.#unloaded.has(ref.digest)) return fail("model_not_ready", { cause: `${ref.digest} was unloaded.` });
    const loaded = this.#loaded.get(ref.digest);
    if (loaded === undefined) return undefined;
    if (loaded.ref.model !== ref.model) return fail("model_not_found");
    loaded.usedAt = ++this.#uses;
    return ok(loaded.model);
  }

  /**
   * The model, loaded now if it is not.
   * Faults: `model_not_found`; `model_not_ready` with a cause, when it was unloaded, can never fit or is broken;
   * `overloaded` when it does not fit beside those in use.
   *
   * @param mayEvict false when others must not go for it
   */
  async get(ref: PackageRef, mayEvict = true): Promise<Result<Model>> {
    const sinceMs = this.#ports.now();
    for (;;) {
      const ready = this.ready(ref);
      if (ready !== undefined) return ready;
      const loading = this.#loading.get(ref.digest);
      if (loading === undefined) {
        const failure = this.#failed.get(ref.digest);
        if (failure !== undefined && failure.atMs > sinceMs) return { ok: false, fault: failure.fault };
      }
      if (loading === undefined || this.#ports.now() - loading.aliveMs > silentMsMax) return this.#load(ref, mayEvict);
      await this.#ports.wait(lookMs);
    }
  }

  isUnloaded(digest: string): boolean {
    return this.#unloaded.has(digest);
  }

  /** From here on {@link get} may load it again. */
  allow(digest: string): void {
    this.#unloaded.delete(digest);
  }

  /** Refuses the model from here on, lets its calls finish, and frees it. True when it was loaded. */
  async unload(digest: string): Promise<boolean> {
    this.#unloaded.add(digest);
    while (this.#isLoading(digest)) await this.#ports.wait(lookMs);
    await this.#loaded.get(digest)?.model.settle();
    const isUnwanted = this.#unloaded.has(digest);
    return isUnwanted && this.#free(digest);
  }

  /** Gives memory back that a run made a runtime take beyond the budget, and puts runtimes away that are broken. */
  tidy(): void {
    for (const digest of this.#hosts.broken()) this.#free(digest);
    if (this.heapBytes <= this.#ports.memoryBytesMax) return;
    for (const digest of planRoom(this.#room()) ?? []) this.#free(digest);
  }

  #isLoading(digest: string): boolean {
    const loading = this.#loading.get(digest);
    return loading !== undefined && this.#ports.now() - loading.aliveMs <= silentMsMax;
  }

  async #load(ref: PackageRef, mayEvict: boolean): Promise<Result<Model>> {
    const loading: Loading = { need: undefined, aliveMs: this.#ports.now() };
    this.#loading.set(ref.digest, loading);
    try {
      const model = await this.#fetchAndOpen(ref, loading, mayEvict);
      if (!model.ok) this.#failed.set(ref.digest, { fault: model.fault, atMs: this.#ports.now() });
      return model;
    } catch (error) {
      const fault = fail("model_not_ready", { cause: error instanceof Error ? error.message : String(error) });
      this.#failed.set(ref.digest, { fault: fault.fault, atMs: this.#ports.now() });
      return fault;
    } finally {
      if (this.#loading.get(ref.digest) === loading) this.#loading.delete(ref.digest);
    }
  }

  async #fetchAndOpen(ref: PackageRef, loading: Loading, mayEvict: boolean): Promise<Result<Model>> {
    const startedMs = this.#ports.now();
    const found = await this.#ports.find(ref);
    if (!found.ok) return found;
    const { manifest, files: given, read, release } = found.value;
    const need = needOf(manifest);
    const room = this.#makeRoom(ref, need, mayEvict);
    if (!room.ok) return room;
    loading.need = need;
    const files = new Map(given);
    for (const file of [manifest.file, ...(manifest.files ?? [])].filter(({ path }) => !given.has(path))) {
      const bytes = await read(file);
      loading.aliveMs = this.#ports.now();
      if (!bytes.ok) return bytes;
      files.set(file.path, bytes.value);
    }
    return this.#ports.alone(async () => {
      // Another call may have taken this one for dead and been faster.
      const faster = this.#loaded.get(ref.digest);
      if (faster !== undefined) return ok(faster.model);
      const opened = await this.#open(ref, manifest, files, need, startedMs);
      // The runtime has copies of these; of texts such as a tokenizer's, the steps may keep what they were given.
      for (const [path, bytes] of files) if (!/\.(json|txt)$/.test(path)) release(bytes);
      return opened;
    });
  }

  /** Never leaves the turn of the event loop, so no call sees half of it and none is cancelled in the middle of it. */
  async #open(
    ref: PackageRef,
    manifest: PackageManifest,
    files: ReadonlyMap<string, Uint8Array>,
    need: Need,
    startedMs: number,
  ): Promise<Result<Model>> {
    const { path } = manifest.file;
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    const beside = [...files].filter(([name]) => name.startsWith(folder));
    const externalData = new Map(beside.map(([name, bytes]) => [name.slice(folder.length), bytes]));
    const graph = withExternalWeights(files.get(path) ?? new Uint8Array(), path.slice(folder.length));
    const host = this.#hosts.take(need);
    let model: Result<Model> = fail("model_not_ready");
    let session: Session | undefined;
    try {
      session = await host.runtime.open(graph, externalData);
      model = this.#ports.serve(manifest, files, session);
    } finally {
      if (!model.ok) {
        await session?.release();
        this.#hosts.dropEmpty();
      }
    }
    if (!model.ok) return model;
    host.digests.add(ref.digest);
    const loadMs = this.#ports.now() - startedMs;
    const usedAt = ++this.#uses;
    this.#loaded.set(ref.digest, { ref, model: model.value, session, host, need, loadMs, usedAt });
    this.#failed.delete(ref.digest);
    return model;
  }

  #makeRoom(ref: PackageRef, need: Need, mayEvict: boolean): Result<true> {
    const budgetBytes = this.#ports.memoryBytesMax;
    if (planRoom({ budgetBytes, sharedHeapBytes: 0, holdings: [] }, need) === undefined) {
      const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
      const cause = `${ref.model}@${ref.version} needs ${mib(need.bytes)} beside the runtime; of ${mib(budgetBytes)} too little is free.`;
      return fail("model_not_ready", { cause });
    }
    const gone = planRoom(this.#room(ref.digest), need);
    if (gone === undefined || (gone.length > 0 && !mayEvict)) {
      return fail("overloaded", { retryAfterMs: 1000, cause: "The isolate's memory is taken by models in use." });
    }
    for (const digest of gone) this.#free(digest);
    return ok(true);
  }

  /** The isolate's memory as it is now, `except` one model that is about to be loaded. */
  #room(except?: string) {
    const holdings: Holding[] = [];
    for (const [digest, { need, usedAt, model, host }] of this.#loaded) {
      const heapBytes = host.ownRuntime ? host.runtime.heapBytes() : 0;
      holdings.push({ ...need, digest, usedAt, idle: model.isIdle, heapBytes });
    }
    for (const [digest, { need }] of this.#loading) {
      if (need === undefined || digest === except || !this.#isLoading(digest)) continue;
      holdings.push({ ...need, digest, usedAt: Number.POSITIVE_INFINITY, idle: false, heapBytes: 0 });
    }
    return { budgetBytes: this.#ports.memoryBytesMax, sharedHeapBytes: this.#hosts.sharedHeapBytes, holdings };
  }

  #free(digest: string): boolean {
    const loaded = this.#loaded.get(digest);
    if (loaded === undefined) return false;
    this.#loaded.delete(digest);
    loaded.model.close();
    loaded.host.digests.delete(digest);
    if (!loaded.host.runtime.isBroken()) void loaded.session.release();
    this.#hosts.dropEmpty();
    return true;
  }
}
