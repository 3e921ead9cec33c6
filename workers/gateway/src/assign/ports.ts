/** Where published snapshots are read. A throw means it cannot be reached; the caller goes on with what it has. */
export interface SnapshotStore {
  /** The number of the latest; `undefined` when none was ever published. */
  current(): Promise<number | undefined>;
  /** What lies under a number; `null` when nothing does (yet). */
  snapshot(number: number): Promise<unknown>;
}
