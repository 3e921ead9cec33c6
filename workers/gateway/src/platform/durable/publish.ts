import type { RegistryState } from "@ledge/contract";

/** Snapshots kept: gateways read only the latest, an operator may want to see the ones before it. */
const snapshotsKept = 20;

/** What is asked of KV. A throw means that it was not done. */
export interface SnapshotWriter {
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/**
 * Writes a snapshot under its number, then says that it is the latest, so that nobody is sent to one that is not there;
 * and deletes the oldest ones. `published` are the numbers that are there, ascending. Answers with those there are then.
 * Throws when the snapshot could not be written: nothing has been said then. A failed deletion is left to the next time.
 */
export async function publish(
  snapshots: SnapshotWriter,
  state: RegistryState,
  published: readonly number[],
): Promise<readonly number[]> {
  const { number } = state;
  await snapshots.put(snapshotKey(number), JSON.stringify(state));
  await snapshots.put(currentKey, String(number));
  const there = [...published.filter((other) => other < number), number];
  const old = there.slice(0, -snapshotsKept);
  const deletions = await Promise.allSettled(old.map((other) => snapshots.delete(snapshotKey(other))));
  return [...old.filter((_, i) => deletions[i]?.status === "rejected"), ...there.slice(-snapshotsKept)];
}

export const currentKey = "current";

export function snapshotKey(number: number): string {
  return `snapshot:${number}`;
}
