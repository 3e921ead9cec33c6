import {
  brokenStreamPath,
  type ErrorCode,
  fail,
  headers,
  type InferAnswer,
  type InferCall,
  isErrorCode,
  ok,
  type PredictAnswer,
  type PredictCall,
  parse,
  predictAnswer,
  type Result,
} from "@ledge/contract";
import { urgencyOf } from "@ledge/policy";
import { within } from "../in-time.ts";
import { type Outgoing, tensorsIn, tensorsOut } from "./origin-tensors.ts";
import type {
  ChatEngine,
  ChatStream,
  ChatText,
  Classifier,
  Journey,
  Origins,
  Readiness,
  TensorEngine,
} from "./ports.ts";

/** A caller should come back after this long when the dispatch Worker is down. */
const downRetryAfterMs = 5_000;
/** A problem document of the origin is small; more than this is not one. */
const problemCharsMax = 65_536;

/** Where the dispatch Worker is asked; its binding looks at the path alone. */
const host = "https://dispatch";

/** The origins, by way of the dispatch Worker. Deadline and request id travel as headers; the caller's key does not. */
export function originTier(origins: Origins, nowMs: () => number): Classifier & TensorEngine & ChatEngine & Readiness {
  /** The origin's answer with status 200 once its headers are here; anything else is a fault. */
  async function send(
    path: string,
    model: string,
    { body, type }: Outgoing,
    journey: Journey,
  ): Promise<Result<Response>> {
    try {
      const named = { ...type, ...headersOf(model, journey) };
      const response = await origins.fetch(host + path, {
        method: "POST",
        headers: named,
        body,
        redirect: "manual",
        signal: journey.signal,
      });
      journey.heard?.(response.headers.get(headers.origin) ?? undefined);
      return response.status === 200 ? ok(response) : await faultOf(response);
    } catch (cause) {
      return fail("origin_unavailable", { retryAfterMs: downRetryAfterMs, cause: `dispatch Worker: ${String(cause)}` });
    }
  }

  /** The whole body of an answer: one that breaks off half-way is a fault, not a short answer. */
  async function whole<T>(
    path: string,
    model: string,
    outgoing: Outgoing,
    journey: Journey,
    read: (response: Response) => Promise<T>,
  ): Promise<Result<T>> {
    return await within(journey.deadlineMs - nowMs(), async () => {
      const response = await send(path, model, outgoing, journey);
      if (!response.ok) return response;
      try {
        return ok(await read(response.value));
      } catch (cause) {
        return fail("upstream_failed", { cause: `origin: ${String(cause)}` });
      }
    });
  }

  return {
    async predict(call: PredictCall, journey: Journey): Promise<Result<PredictAnswer>> {
      const answer = await whole("/v1/predict", modelOf(call), json(call), journey, textOf);
      return answer.ok ? readPrediction(answer.value) : answer;
    },
    async infer(call: InferCall, journey: Journey): Promise<Result<InferAnswer>> {
      const outgoing = tensorsOut(call);
      if (!outgoing.ok) return outgoing;
      const path = `/v2/models/${call.model}/versions/${call.version}/infer`;
      const answer = await whole(path, modelOf(call), outgoing.value, journey, tensorsIn);
      return answer.ok ? answer.value : answer;
    },
    complete: (body, journey) => whole("/v1/chat/completions", body.model, json(body), journey, chatText),
    async stream(body, journey) {
      const response = await within(journey.deadlineMs - nowMs(), () =>
        send("/v1/chat/completions", body.model, json(body, "text/event-stream"), journey),
      );
      return response.ok ? ok(chatStream(response.value, body.model, origins)) : response;
    },
    ready: ({ deadlineMs }) => isReady(origins, deadlineMs - nowMs()),
  };
}

async function isReady(origins: Origins, timeoutMs: number): Promise<boolean> {
  const answer = await within(timeoutMs, async () => {
    try {
      const { status } = await origins.fetch(`${host}/readyz`, { redirect: "manual" });
      return status === 200 ? ok(true) : fail("origin_unavailable");
    } catch {
      return fail("origin_unavailable");
    }
  });
  return answer.ok;
}

function headersOf(
  model: string,
  { requestId, deadlineMs, payer, share, continent, avoid, hasFallback }: Journey,
): Record<string, string> {
  const urgency = urgencyOf(share);
  return {
    [headers.requestId]: requestId,
    [headers.model]: model,
    [headers.deadline]: String(Math.ceil(deadlineMs)),
    ...(payer === undefined ? {} : { [headers.payer]: payer }),
    ...(urgency === undefined ? {} : { [headers.priority]: urgency }),
    ...(continent === undefined ? {} : { [headers.continent]: continent }),
    ...(avoid === undefined ? {} : { [headers.avoid]: avoid }),
    ...(hasFallback ? { [headers.hold]: "short" } : {}),
  };
}

function modelOf({ model, version }: PredictCall | InferCall): string {
  return `${model}@${version}`;
}

function json(body: object, accept?: string): Outgoing {
  const type = { "Content-Type": "application/json", ...(accept && { Accept: accept }) };
  return { body: JSON.stringify(body), type };
}

function textOf(response: Response): Promise<string> {
  return response.text();
}

async function chatText(response: Response): Promise<ChatText> {
  return { text: await response.text(), runMs: numberIn(response, headers.runMs) };
}

function chatStream(response: Response, model: string, origins: Origins): ChatStream {
  return {
    body: response.body ?? new ReadableStream(),
    promptTokens: numberIn(response, headers.promptTokens),
    broke: (code) => tellBreak(origins, model, response, code),
  };
}

/** The dispatch Worker passes streams on without looking into them: it learns from us which broke off. */
async function tellBreak(
  origins: Origins,
  model: string,
  { headers: said }: Response,
  code: ErrorCode,
): Promise<unknown> {
  const named = { [headers.origin]: said.get(headers.origin) ?? "", [headers.model]: model };
  return await origins
    .fetch(host + brokenStreamPath, { method: "POST", headers: named, body: code })
    .catch(() => undefined);
}

function numberIn({ headers: said }: Response, name: string): number | undefined {
  const text = said.get(name);
  return text !== null && /^[0-9]{1,12}(?:\.[0-9]{1,6})?$/.test(text) ? Number(text) : undefined;
}

function readPrediction(text: string): Result<PredictAnswer> {
  try {
    const answer = parse(predictAnswer, JSON.parse(text));
    if (answer.ok) return answer;
  } catch {
    // Not JSON: the fault below says what it is not.
  }
  return fail("upstream_failed", { cause: "origin: the answer is not a PredictAnswer" });
}

/**
 * The origin speaks problem details with our codes, so its faults pass through; anything else is a broken upstream.
 * Its 401 would be about our secret, not about the caller: that is a fault of this deployment.
 */
async function faultOf(response: Response): Promise<Result<never>> {
  const text = (await response.text()).slice(0, problemCharsMax);
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
  // The registry has the model, so it is the origins that are not ready for it.
  if (code === "model_not_found") return fail("model_not_ready", { cause: "origin: it serves no such model" });
  const seconds = Number(response.headers.get(headers.retryAfter));
  return fail(code, {
    ...(typeof detail === "string" ? { detail } : {}),
    ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
}
