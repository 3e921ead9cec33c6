import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Target } from "../ask/target.ts";
import { Refusal } from "../refusal.ts";

export interface AdminCall {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/admin/v1`, parts encoded. */
  readonly path: string;
  readonly json?: unknown;
  /** In place of JSON: bytes of a known number. */
  readonly bytes?: { readonly body: Readable; readonly count: number };
  /** Statuses that are answers, not failures, besides 2xx. */
  readonly expects?: readonly number[];
}

export interface AdminAnswer {
  readonly status: number;
  /** The JSON of the body; undefined when it has none. */
  readonly value: unknown;
  /** The body as it came. */
  readonly text: string;
}

/** Longest that a call may stay silent; loading a model is part of registering it. */
const silentMsMax = 300_000;

/**
 * One call of the operator's API.
 *
 * @throws Refusal with the server's sentence and what to type, when it refuses or cannot be reached.
 */
export async function callAdmin(target: Target, call: AdminCall): Promise<AdminAnswer> {
  const answer = await exchange(target, call);
  const body = await text(answer);
  const status = answer.statusCode ?? 0;
  const value = jsonOf(body);
  if ((status >= 200 && status < 300) || call.expects?.includes(status)) return { status, value, text: body };
  throw new Refusal(refusalOf(status, value, target.url));
}

async function exchange({ url, key }: Target, { method, path, json, bytes }: AdminCall): Promise<IncomingMessage> {
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  const length = bytes?.count ?? body?.length;
  const options: RequestOptions = {
    method,
    timeout: silentMsMax,
    headers: {
      Authorization: `Bearer ${key}`,
      Accept: "application/json, application/problem+json",
      ...(length === undefined ? {} : { "Content-Length": length }),
      ...(bytes === undefined ? {} : { "Content-Type": "application/octet-stream" }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
  };
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send(new URL(`${url.pathname.replace(/\/$/, "")}/admin/v1${path}`, url), options);
  try {
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.on("response", resolve);
      request.on("error", reject);
      request.on("timeout", () => request.destroy(new Error(`no answer within ${silentMsMax / 1000} s`)));
    });
    answered.catch(() => undefined); // Looked at below; a refusal may come before the whole body is sent.
    if (bytes === undefined) request.end(body);
    else await Promise.race([pipeline(bytes.body, request), answered]);
    return await answered;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const start = code === "ECONNREFUSED" ? "start it with 'npm start', or name another with --url" : message;
    throw new Refusal(`Nothing answers at ${url.origin}: ${start}.`);
  }
}

function jsonOf(body: string): unknown {
  try {
    return body === "" ? undefined : JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** RFC 9457 problem details as a sentence, with each issue in it. */
function refusalOf(status: number, value: unknown, url: URL): string {
  if (status === 401) {
    return `${url.origin} does not take this operator's key: set LEDGE_ADMIN_KEY to the one it was deployed with.`;
  }
  if (typeof value !== "object" || value === null) return `${url.origin} answered with status ${status}.`;
  const { title, detail, code, issues } = value as Record<string, unknown>;
  const faults = Array.isArray(issues) ? issues.map(({ path, message }) => `${path}: ${message}`) : [];
  const sentence = [detail ?? title ?? `${url.origin} answered with status ${status}.`, ...faults].join(" ");
  return typeof code === "string" ? `${sentence} (${code})` : sentence;
}
