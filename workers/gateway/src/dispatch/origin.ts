import {
  fail,
  headers,
  isErrorCode,
  ok,
  type PredictAnswer,
  type PredictCall,
  parse,
  predictAnswer,
  type Result,
} from "@ledge/contract";
import type { ChatEngine, Classifier, Journey, Readiness } from "./ports.ts";

export interface OriginConfig {
  /** Without a trailing slash. */
  readonly url: string;
  readonly secret: string;
}

/** A caller of an origin that is down should come back after this long. */
const downRetryAfterMs = 5_000;
/** A problem document of the origin is small; more than this is not one. */
const problemBytesMax = 65_536;

/** The origin over HTTP. Deadline, request id and our secret travel as headers; the caller's key does not. */
export function originTier(config: OriginConfig, nowMs: () => number): Classifier & ChatEngine & Readiness {
  async function send(path: string, body: object, journey: Journey): Promise<Result<Response>> {
    const timeoutMs = journey.deadlineMs - nowMs();
    if (timeoutMs <= 0) return fail("deadline_exceeded");
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(config.url + path, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Authorization: `Bearer ${config.secret}`,
          [headers.requestId]: journey.requestId,
          [headers.timeoutMs]: String(Math.ceil(timeoutMs)),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.any([deadline, journey.signal]),
        redirect: "manual",
      });
      return response.status === 200 ? ok(response) : await faultOf(response);
    } catch (cause) {
      if (deadline.aborted) return fail("deadline_exceeded");
      return fail("origin_unavailable", { retryAfterMs: downRetryAfterMs, cause: `origin: ${String(cause)}` });
    }
  }

  return {
    async predict(call: PredictCall, journey: Journey): Promise<Result<PredictAnswer>> {
      const response = await send("/v1/predict", call, journey);
      if (!response.ok) return response;
      try {
        const answer = parse(predictAnswer, await response.value.json());
        return answer.ok ? answer : fail("upstream_failed", { cause: "origin: the answer is not a PredictAnswer" });
      } catch (cause) {
        return fail("upstream_failed", { cause: `origin: ${String(cause)}` });
      }
    },
    chat: (body, journey) => send("/v1/chat/completions", body, journey),
    async ready(journey: Journey): Promise<boolean> {
      try {
        const signal = AbortSignal.timeout(Math.max(1, journey.deadlineMs - nowMs()));
        const response = await fetch(`${config.url}/readyz`, { signal, redirect: "manual" });
        await response.body?.cancel();
        return response.status === 200;
      } catch {
        return false;
      }
    },
  };
}

/**
 * The origin speaks problem details with our codes, so its faults pass through; anything else is a broken upstream.
 * Its 401 would be about our secret, not about the caller: that is a fault of this deployment.
 */
async function faultOf(response: Response): Promise<Result<never>> {
  const text = (await response.text()).slice(0, problemBytesMax);
  let problem: { code?: unknown; detail?: unknown } = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // Not a problem document: the code below says so.
  }
  const { code, detail } = problem;
  if (response.status === 401 || response.status === 403 || !isErrorCode(code)) {
    return fail("upstream_failed", { cause: `origin: status ${response.status}` });
  }
  const seconds = Number(response.headers.get(headers.retryAfter));
  return fail(code, {
    ...(typeof detail === "string" ? { detail } : {}),
    ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
}
