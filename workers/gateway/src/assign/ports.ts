import type { Snapshot } from "@ledge/contract";

/** Where published snapshots are read. A throw means it cannot be reached; the caller goes on with what it has. */
export interface SnapshotStore {
  /** The number of the latest; `undefined` when none was ever published. */
  current(): Promise<number | undefined>;
  /** What lies under a number; `null` when nothing does (yet). */
  snapshot(number: number): Promise<unknown>;
}

/** The registry's own object: asked only when the snapshots do not serve. A throw means that it cannot be reached. */
export interface RegistryWatch {
  /** What the registry is now; `undefined` when that is what the number names. */
  newerThan(number: number): Promise<Snapshot | undefined>;
  /** Has the registry take what is shipped and, when `unpublished`, publish again. */
  wake(unpublished: boolean): Promise<void>;
}
