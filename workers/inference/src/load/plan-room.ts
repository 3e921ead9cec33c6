import type { PackageManifest } from "@ledge/contract";

/** How models share the isolate's memory. Pure: the store holds the runtimes and does what is decided here. */

/** What an ONNX Runtime takes before it holds a model, bytes: its memory starts at 16 MiB. */
export const runtimeBytes = 16 * 2 ** 20;

/** A model that needs more than this beyond the runtime itself gets a runtime of its own, and gives all of it back. */
const ownRuntimeBytesMin = 16 * 2 ** 20;

export interface Need {
  /** Heap the model takes beside the runtime's own share, bytes. */
  readonly bytes: number;
  readonly ownRuntime: boolean;
}

/** What a package will need: as measured, or else the worst seen, 2.07 × its files. */
export function needOf({ file, files, measured }: PackageManifest): Need {
  const fileBytes = [file, ...(files ?? [])].reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = measured === undefined ? 2.07 * fileBytes : Math.max(0, measured.heapBytes - runtimeBytes);
  return { bytes, ownRuntime: bytes > ownRuntimeBytesMin };
}

/** A model that is loaded, or for which memory is set aside while it loads. */
export interface Holding extends Need {
  readonly digest: string;
  /** Larger is later. */
  readonly usedAt: number;
  /** False while calls wait for it or it is being loaded: it stays. */
  readonly idle: boolean;
  /** What its own runtime takes now, bytes; 0 when it shares one, or has none yet. */
  readonly heapBytes: number;
}

export interface Room {
  readonly budgetBytes: number;
  /** What the shared runtime takes now, bytes; 0 when there is none. */
  readonly sharedHeapBytes: number;
  readonly holdings: readonly Holding[];
}

/**
 * Which models to let go so that `need` fits the budget, the least recently used first; none when it fits already.
 * Undefined when it does not fit, whoever idle goes.
 *
 * The shared runtime's memory stays as large as it was until the last of its models goes. What one of them frees can only
 * be used by another small one.
 */
export function planRoom(room: Room, need?: Need): readonly string[] | undefined {
  const byAge = room.holdings.filter(({ idle }) => idle).sort((a, b) => a.usedAt - b.usedAt);
  const gone: string[] = [];
  for (const { digest } of byAge) {
    if (heapAfter(room, gone, need) <= room.budgetBytes) break;
    gone.push(digest);
  }
  if (heapAfter(room, gone, need) > room.budgetBytes) return undefined;
  // Whoever went for nothing stays: a small model frees nothing while its runtime lives on.
  for (const digest of gone.toReversed()) {
    const fewer = gone.filter((each) => each !== digest);
    if (heapAfter(room, fewer, need) <= room.budgetBytes) gone.splice(gone.indexOf(digest), 1);
  }
  return gone;
}

/** All heaps once `gone` have left and `need` has come, bytes. */
export function heapAfter(room: Room, gone: readonly string[], need?: Need): number {
  const left = room.holdings.filter(({ digest }) => !gone.includes(digest));
  const own = left.filter(({ ownRuntime }) => ownRuntime);
  const shared = left.filter(({ ownRuntime }) => !ownRuntime);
  const ownBytes = own.reduce((sum, { heapBytes, bytes }) => sum + (heapBytes || runtimeBytes + bytes), 0);
  const newOwnBytes = need?.ownRuntime === true ? runtimeBytes + need.bytes : 0;
  const smallNeed = need?.ownRuntime === false ? need.bytes : undefined;
  if (shared.length === 0 && smallNeed === undefined) return ownBytes + newOwnBytes;
  const inside = shared.reduce((sum, { bytes }) => sum + bytes, smallNeed ?? 0);
  const heldBytes = shared.length === 0 ? 0 : room.sharedHeapBytes;
  const grown = smallNeed === undefined ? heldBytes : Math.max(heldBytes, runtimeBytes + inside);
  return ownBytes + newOwnBytes + grown;
}
