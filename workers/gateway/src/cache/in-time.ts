/** What the work gives, or `undefined` when it fails or takes longer. The work is left alone. */
export async function inTime<T>(msMax: number, work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, msMax));
  });
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
