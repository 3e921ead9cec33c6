import { ok, type PackageRef, packageManifest, parse, type Result } from "@ledge/contract";
import type { Config } from "./env.ts";
import { bundledModels, bundledTokenizers } from "./load/bundled-models.ts";
import { type BlobStore, bundleSource, documentDigest, findPackage, storeSource } from "./load/find-package.ts";
import { hotPackages, type SnapshotStore } from "./load/hot-packages.ts";
import { ModelStore } from "./load/model-store.ts";
import { PromptCounters } from "./load/prompt-counters.ts";
import { startRuntime } from "./load/runtime.ts";
import { Model } from "./model.ts";
import { hop } from "./run/hop.ts";
import { takeTurn } from "./run/turn.ts";
import { Service } from "./service.ts";

/** In production this clock only moves when a request does I/O, so a run within one turn reads 0 ms. Locally it moves. */
const now = () => performance.now();

export interface Bindings {
  /** Bucket of model packages. Without it there are only the bundled ones. */
  readonly MODEL_BYTES?: BlobStore;
  /** Where the registry publishes. Without it nothing is preloaded. */
  readonly SNAPSHOTS?: SnapshotStore;
}

/** The isolate's one service, made of its parts. */
export function wire(bindings: Bindings, config: Result<Config>): Result<Service> {
  if (!config.ok) return config;
  const { batchRowsMax, memoryBytesMax, tokenizerBytesMax, waitingRowsMax } = config.value;
  const turn = { running: 0, begun: 0 };
  const batches = new Map<number, number>();
  const ports = {
    hop,
    now,
    unixMs: () => Date.now(),
    turn,
    batchRowsMax,
    countRun: (rows: number) => void batches.set(rows, (batches.get(rows) ?? 0) + 1),
  };
  const alone = <T>(work: () => Promise<T>) => takeTurn(turn, hop, work);
  const { MODEL_BYTES: blobs, SNAPSHOTS: snapshots } = bindings;
  const stored = blobs === undefined ? [] : [storeSource(blobs)];
  const sources = [bundleSource(bundledModels), ...stored];
  const countedBy = [bundleSource([...bundledModels, ...bundledTokenizers]), ...stored];
  const wait = (ms: number) => scheduler.wait(ms);
  const store = new ModelStore<Model>({
    find: (ref) => findPackage(sources, ref),
    startRuntime: () => startRuntime(memoryBytesMax),
    serve: (manifest, files, session) => Model.of(manifest, files, session, ports),
    memoryBytesMax,
    alone,
    now,
    wait,
  });
  return ok(
    new Service({
      store,
      counters: new PromptCounters({
        find: (ref) => findPackage(countedBy, ref),
        bytesMax: tokenizerBytesMax,
        now,
        wait,
      }),
      bundled: bundledPackages,
      hot: () => hotPackages(snapshots),
      alone,
      waitingRowsMax,
      batches: () => Object.fromEntries(batches),
      now,
    }),
  );
}

let known: readonly PackageRef[] | undefined;

/** Each call computes the digests for itself until one has: a promise of another request must not be awaited. */
async function bundledPackages(): Promise<readonly PackageRef[]> {
  if (known !== undefined) return known;
  const refs: PackageRef[] = [];
  for (const { manifest: given } of bundledModels) {
    const manifest = parse(packageManifest, given);
    if (!manifest.ok) continue;
    const { name, version } = manifest.value;
    refs.push({ model: name, version, digest: await documentDigest(manifest.value) });
  }
  known = refs;
  return refs;
}
