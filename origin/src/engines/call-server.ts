import { IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { errors, type Fault, fail, isErrorCode, ok, type Result } from "@ledge/contract";
import { faultOfCallOff } from "../call-off.ts";

/** A server that is an engine of ours, spoken to over HTTP. */
export interface EngineServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`; absent: nothing is sent. */
  readonly key: string | undefined;
  /** The largest answer that is read whole, bytes. */
  readonly answerBytesMax: number;
}

export interface Outgoing {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** A caller of a server that is down should come back after this long. */
const downRetryAfterMs = 1_000;
/** A server's own words about a fault. More is cut off. */
const faultBytesMax = 65_536;
const detailCharsMax = 500;

/** What a server says, its body still to come. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Pick<Headers, "get">;
  /** Breaks off with an error, at the latest when the signal fires. */
  readonly body: IncomingMessage;
}

/**
 * The server's answer once its status is here, which is 200. Faults: those of {@link faultOfStatus}; `origin_unavailable` when it
 * cannot be reached or hangs up before it answers; the reason of the signal when that fired.
 */
export async function callServer(
  server: EngineServer,
  path: string,
  { body, headers }: Outgoing,
  signal: AbortSignal,
): Promise<Result<ServerAnswer>> {
  const authorization = server.key === undefined ? {} : { Authorization: `Bearer ${server.key}` };
  try {
    const answer = await post(server, path, { body, headers: { ...headers, ...authorization } }, signal);
    if (answer.status === 200) return ok(answer);
    const words = await readText(answer, faultBytesMax);
    return { ok: false, fault: faultOfStatus(answer, words.ok ? words.value : "", Date.now()) };
  } catch (error) {
    if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
    return fail("origin_unavailable", { retryAfterMs: downRetryAfterMs, cause: `engine: ${reasonOf(error)}` });
  }
}

/** Servers close what is idle for five seconds and more; who closes first does not send into a connection that is just being closed. */
const idleMsMax = 4_000;
/** A server that has said nothing for so long counts as gone. */
const silentMsMax = 300_000;
const plain = new PlainAgent({ keepAlive: true, timeout: idleMsMax });
const secure = new SecureAgent({ keepAlive: true, timeout: idleMsMax });

/** By Node's own client: `fetch` costs three times as much, which was half of all that a call cost here. */
function post(
  { url }: EngineServer,
  path: string,
  { body, headers }: Outgoing,
  signal: AbortSignal,
): Promise<ServerAnswer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const { host, secured, ...place } = placeOf(url);
    const options = { ...place, path: place.path + path, method: "POST", headers: { Host: host, ...headers } };
    const request = secured ? secureRequest({ ...options, agent: secure }) : plainRequest({ ...options, agent: plain });
    // Node's own option for a signal takes as much as the rest of the request.
    const cut = () => request.destroy(new Error("called off"));
    signal.addEventListener("abort", cut);
    request.once("close", () => signal.removeEventListener("abort", cut));
    request.once("timeout", () => request.destroy(new Error("it said nothing for five minutes")));
    request.once("response", (answer: IncomingMessage) => {
      const get = (name: string) => {
        const value = answer.headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      };
      // Whoever reads it hears of it too; one that nobody reads any more is no bug.
      answer.on("error", () => {});
      resolve({ status: answer.statusCode ?? 0, headers: { get }, body: answer });
    });
    request.on("error", reject);
    request.end(body);
  });
}

interface Place {
  readonly host: string;
  readonly hostname: string;
  readonly port: string | undefined;
  /** In front of every path. */
  readonly path: string;
  readonly secured: boolean;
  readonly timeout: number;
}

/** Taken apart once: the servers are those of the configuration. */
const places = new Map<string, Place>();

function placeOf(url: string): Place {
  const known = places.get(url);
  if (known !== undefined) return known;
  const { protocol, host, hostname, port, pathname } = new URL(url);
  const place: Place = {
    host,
    // As Node's own resolver takes an IPv6 address.
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? undefined : port,
    path: pathname.replace(/\/$/, ""),
    secured: protocol === "https:",
    timeout: silentMsMax,
  };
  places.set(url, place);
  return place;
}

type HasBody = { readonly body: AsyncIterable<Uint8Array> | null };

/** The body of an answer as text. Faults: `upstream_failed` when it is larger than `bytesMax`. Throws when it breaks off. */
export async function readText(response: HasBody, bytesMax: number): Promise<Result<string>> {
  const bytes = await readBody(response, bytesMax);
  return bytes.ok ? ok(decoder.decode(bytes.value)) : bytes;
}

const decoder = new TextDecoder();

/** As {@link readText}, undecoded. */
export async function readBody({ body }: HasBody, bytesMax: number): Promise<Result<Uint8Array>> {
  if (body instanceof IncomingMessage) return readMessage(body, bytesMax);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > bytesMax) return tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return ok(Buffer.concat(chunks));
}

/** By its events: iterating over one takes as long as sending a request. */
function readMessage(body: IncomingMessage, bytesMax: number): Promise<Result<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes <= bytesMax) return;
      resolve(tooLarge(bytesMax));
      body.destroy();
    });
    body.on("end", () =>
      resolve(ok(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))),
    );
    body.on("error", reject);
    body.on("close", () => reject(new Error("the connection was closed")));
  });
}

function tooLarge(bytesMax: number) {
  return fail("upstream_failed", { cause: `engine: the answer has over ${bytesMax} bytes` });
}

/** Node says "fetch failed" and puts the reason beside it. */
export function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  return String(cause ?? error).slice(0, 300);
}

/**
 * What a server's refusal means to our caller. What the caller can mend stays the caller's, in the server's words; a server that is
 * full or still loading is `overloaded`, with its `Retry-After`; one that knows neither us nor the model is ours to mend.
 */
export function faultOfStatus(response: Pick<ServerAnswer, "status" | "headers">, words: string, nowMs: number): Fault {
  const { status } = response;
  const said = wordsOf(words);
  const cause = `engine: status ${status}`;
  if (isErrorCode(said.code) && errors[said.code].status === status && errors[said.code].owner === "client") {
    return { code: said.code, ...(said.message === undefined ? {} : { detail: said.message }), cause };
  }
  const retryAfterMs = retryAfterOf(response.headers.get("retry-after"), nowMs);
  const later = retryAfterMs === undefined ? {} : { retryAfterMs };
  const detail = said.message === undefined ? {} : { detail: said.message };
  switch (status) {
    case 400:
    case 422:
      return { code: isAboutContext(said) ? "context_length_exceeded" : "invalid_request", ...detail, cause };
    case 413:
      return { code: "body_too_large", ...detail, cause };
    case 401:
    case 403:
      return { code: "upstream_failed", cause: `${cause}: it does not take our key` };
    case 404:
      return { code: "model_not_ready", cause: `${cause}: it does not know the model or the path` };
    case 429:
    case 503:
      return { code: "overloaded", ...later, cause };
    default:
      return { code: "upstream_failed", ...later, cause };
  }
}

interface Words {
  readonly message?: string;
  readonly code?: unknown;
}

/** The message in OpenAI's error object, the Open Inference Protocol's or problem details; FastAPI says `detail`. */
export function wordsOf(text: string): Words {
  let said: Record<string, unknown>;
  try {
    said = { ...JSON.parse(text) };
  } catch {
    return {};
  }
  const { error } = said;
  const inner: Record<string, unknown> = typeof error === "object" && error !== null ? { ...error } : said;
  const message = [inner.message, error, inner.detail].find((each) => typeof each === "string");
  const code = inner.code ?? said.code;
  return typeof message === "string" ? { message: message.slice(0, detailCharsMax), code } : { code };
}

function isAboutContext({ message = "", code }: Words): boolean {
  return code === "context_length_exceeded" || contextWords.test(message);
}

/** vLLM names its option where a limit of the answer alone is larger than the context. */
const contextWords = /context (?:length|size|window)|maximum (?:model )?length|max_model_len/i;

function retryAfterOf(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^[0-9]{1,7}$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
