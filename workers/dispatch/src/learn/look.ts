import type { Origin } from "../config.ts";
import { reach } from "../send/reach.ts";

/** How long an origin may take to say whether it lives. */
const lookMsMax = 1_000;

function look(origin: Origin): Promise<Response> {
  return reach(origin, "/readyz", { redirect: "manual", signal: AbortSignal.timeout(lookMsMax) });
}

/** Whether an origin lives: somebody answers at `/readyz`, if only that models load. Never throws. */
export async function lives(origin: Origin): Promise<boolean> {
  try {
    const response = await look(origin);
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
export async function isReady(origin: Origin): Promise<boolean> {
  try {
    const response = await look(origin);
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
