import { fail, type Result } from "@ledge/contract";

/**
 * The work's result, or `deadline_exceeded` after `timeoutMs`. The work is left alone, not aborted: the tier behind it was
 * told the same deadline and stops by itself. An `AbortSignal` made for each fetch would stop it too, at the price of a
 * third of the whole call (docs/benchmarks.md).
 */
export async function within<T>(timeoutMs: number, work: () => Promise<Result<T>>): Promise<Result<T>> {
  if (timeoutMs <= 0) return fail("deadline_exceeded");
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<Result<T>>((resolve) => {
    timer = setTimeout(() => resolve(fail("deadline_exceeded")), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
