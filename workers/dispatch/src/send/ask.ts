import { errors, headers, isErrorCode, problemOf } from "@ledge/contract";
import { type Verdict, verdictOf } from "@ledge/policy/origins";
import type { Origin } from "../config.ts";
import type { Call } from "./call.ts";
import { reach } from "./reach.ts";
import { sign } from "./sign.ts";

/** What became of one request to one origin. */
export interface Asked {
  readonly verdict: Verdict;
  /** Absent when nothing came that could be passed on. */
  readonly response?: Response;
  /** The origin said so; 0 when it did not. */
  readonly retryAfterMs: number;
  readonly cause: string;
  /** The answer is a stream: how it ends is not known. */
  readonly streams?: true;
  /** The origin says that the call's time was up there. */
  readonly ranOut?: true;
  /** The connection was lost before anything came: it may have been closed as the request was sent, and the origin be well. */
  readonly lost?: true;
}

/** A problem document is small; more than this is none. */
const problemCharsMax = 65_536;
/** A whole answer up to this size is read before it is passed on, so that one that breaks off can be asked for elsewhere. */
const heldBytesMax = 4 * 1024 * 1024;

export interface AskDeps {
  /** HMAC-SHA-256 under the secret that edge and origins share, hex. */
  readonly hmac: (text: string) => string;
  /** Absent where nobody else could be asked: the request ends with the call. */
  readonly signal: AbortSignal | undefined;
  readonly nowMs: () => number;
}

/** Asks one origin. Never throws. */
export async function ask(origin: Origin, call: Call, { hmac, signal, nowMs }: AskDeps): Promise<Asked> {
  const sentMs = nowMs();
  const named = new Headers(call.headers as [string, string][]);
  named.set(headers.timeoutMs, String(Math.max(1, Math.ceil(call.deadlineMs - sentMs))));
  named.set(headers.deadline, String(Math.ceil(call.deadlineMs)));
  sign({ method: call.method, path: call.path, bodySha256: call.bodySha256, headers: named }, hmac, sentMs);
  let lost = true;
  try {
    const response = await reach(origin, call.path, {
      method: call.method,
      headers: named,
      body: call.body.byteLength === 0 ? null : call.body,
      redirect: "manual",
      ...(signal === undefined ? {} : { signal }),
    });
    lost = false;
    return response.status < 400 ? await heard(response) : await refused(response);
  } catch (error) {
    const silence = { verdict: "silent", retryAfterMs: 0, cause: String(error) } as const;
    return lost ? { ...silence, lost } : { ...silence, response: brokenOff() };
  }
}

/** An answer: a stream as it comes, anything else once it is whole. Throws when it breaks off. */
async function heard(response: Response): Promise<Asked> {
  const { headers: said, status } = response;
  const streams = /^text\/event-stream/i.test(said.get("Content-Type") ?? "");
  const passed = { verdict: "answered", response, retryAfterMs: 0, cause: "" } as const;
  if (streams) return { ...passed, streams };
  if (Number(said.get("Content-Length")) > heldBytesMax) return passed;
  const whole = await response.arrayBuffer();
  return { ...passed, response: new Response(whole, { status, headers: said }) };
}

function brokenOff(): Response {
  const fault = { code: "upstream_failed" } as const;
  return Response.json(problemOf(fault), { status: errors[fault.code].status });
}

async function refused(response: Response): Promise<Asked> {
  const text = (await response.text()).slice(0, problemCharsMax);
  const code = codeIn(text);
  const verdict = verdictOf(response.status, code);
  const cause = `status ${response.status} ${code ?? ""}`.trim();
  const seconds = Number(response.headers.get(headers.retryAfter));
  const retryAfterMs = seconds > 0 ? seconds * 1_000 : 0;
  return {
    verdict,
    response: new Response(text, { status: response.status, headers: response.headers }),
    retryAfterMs,
    cause,
    ...(code === "deadline_exceeded" ? { ranOut: true } : {}),
  };
}

function codeIn(text: string): string | undefined {
  try {
    const { code } = JSON.parse(text) ?? {};
    return isErrorCode(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
