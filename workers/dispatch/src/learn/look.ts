import type { Origin } from "../config.ts";

/** How long an origin may take to say whether it lives. */
const lookMsMax = 1_000;

/** Whether an origin lives: somebody answers at `/readyz`, if only that models load. Never throws. */
export async function lives({ url }: Origin): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { redirect: "manual", signal: AbortSignal.timeout(lookMsMax) });
    if (response.status !== 503) {
      await response.body?.cancel();
      return response.status < 500;
    }
    // A proxy before an origin that is gone says 503 too.
    return (await response.json<{ readonly status?: unknown }>()).status === "loading";
  } catch {
    return false;
  }
}

/** Whether an origin can answer now: its `/readyz` says 200. Never throws. */
export async function isReady({ url }: Origin): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { redirect: "manual", signal: AbortSignal.timeout(lookMsMax) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
