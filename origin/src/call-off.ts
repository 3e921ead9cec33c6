import type { Fault, Result } from "@ledge/contract";

/** Why work was called off. It travels as the `reason` of the signal that every stage and engine is given. */
export type CallOff = "deadline" | "disconnected" | "draining";

/** What the caller is told when the signal has fired. A disconnected caller hears nothing; the log does. */
export function faultOfCallOff(signal: AbortSignal): Fault {
  const reason = signal.reason as CallOff;
  switch (reason) {
    case "deadline":
      return { code: "deadline_exceeded" };
    case "draining":
      return { code: "origin_unavailable", detail: "The origin is shutting down.", retryAfterMs: 1000 };
    case "disconnected":
      return { code: "deadline_exceeded", cause: clientClosed };
  }
}

/** The `cause` by which the log tells a caller who hung up from a deadline that passed. */
export const clientClosed = "client_closed";

/** Waits for work, or for the signal if that fires first. The work goes on unheard: it must watch the signal itself. */
export function orCalledOff<T>(work: Promise<Result<T>>, signal: AbortSignal): Promise<Result<T>> {
  return new Promise((resolve, reject) => {
    const heard = () => resolve({ ok: false, fault: faultOfCallOff(signal) });
    if (signal.aborted) return heard();
    signal.addEventListener("abort", heard);
    const deaf = () => signal.removeEventListener("abort", heard);
    work.then(resolve, reject).then(deaf);
  });
}
