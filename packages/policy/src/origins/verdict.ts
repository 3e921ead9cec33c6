/**
 * What an origin's answer says of the call and of the origin.
 * `answered`: this is the answer. `elsewhere`: it is well but cannot take this call, another may; not before `retryAfterMs` here.
 * `failed`: its engine failed. `silent`: nothing that a Ledge origin would say, or nothing at all.
 */
export type Verdict = "answered" | "elsewhere" | "failed" | "silent";

/** Whether a stream that ended with this code is a failure of its engine: not when its time was up, or its caller was wrong. */
export function isBreak(code: string): boolean {
  return code === "upstream_failed" || code === "internal_error" || code === "origin_unavailable";
}

/**
 * @param code of the problem document; `undefined` when the body is none
 */
export function verdictOf(status: number, code: string | undefined): Verdict {
  if (status < 400) return "answered";
  switch (code) {
    case "overloaded":
    case "model_not_ready":
    case "model_not_found":
    case "origin_unavailable":
      return "elsewhere";
    case undefined:
      return status >= 500 ? "silent" : "answered";
    // What is wrong with our signature is wrong with one origin's secret or clock, and not with the call.
    case "missing_credentials":
    case "invalid_credentials":
    case "internal_error":
    case "upstream_failed":
      return "failed";
    default:
      return "answered";
  }
}
