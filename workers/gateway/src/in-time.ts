import { fail, type Result } from "@ledge/contract";

/** Work that is waited for so long and no longer. It is left alone then, not aborted. */

/** What the work gives, or `undefined` when it fails or takes longer than `msMax`. */
export function inTime<T>(msMax: number, work: Promise<T>): Promise<T | undefined> {
  return orLate(
    msMax,
    work.catch(() => undefined),
    undefined,
  );
}

/**
 * The work's result, or `deadline_exceeded` after `timeoutMs`. The tier behind it was told the same deadline and stops by
 * itself. An `AbortSignal` made for each fetch would stop it too, at the price of a third of the whole call
 * (docs/benchmarks.md). Throws what the work throws.
 */
export async function within<T>(timeoutMs: number, work: () => Promise<Result<T>>): Promise<Result<T>> {
  const late = fail("deadline_exceeded");
  return timeoutMs <= 0 ? late : await orLate(timeoutMs, work(), late);
}

async function orLate<T, L>(msMax: number, work: Promise<T>, late: L): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const waited = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late), Math.max(0, msMax));
  });
  try {
    return await Promise.race([work, waited]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
