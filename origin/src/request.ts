import type { IncomingMessage, ServerResponse } from "node:http";
import type { Fault } from "@ledge/contract";
import type { Deadline } from "./accept/deadline.ts";
import type { Urgency } from "./engines/engine.ts";
import type { Registry } from "./engines/registry.ts";
import type { Repository } from "./engines/repository.ts";
import type { Journal } from "./observe/journal.ts";
import type { RequestRecord } from "./observe/log.ts";

/** What every request's last stage may use. */
export interface Stage {
  readonly registry: Registry;
  readonly bodyBytesMax: number;
  readonly nowMs: () => number;
  readonly newId: () => string;
  /** Absent: none is kept. */
  readonly journal: Journal | undefined;
  /** Absent: nothing is loaded or unloaded while the origin runs. */
  readonly repository: Repository | undefined;
}

/** One request on its way, as Node's server has it: web streams, requests and responses cost a third of a relayed call. */
export interface OriginCall {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** What the path has in its route's places, decoded. */
  readonly params: readonly string[];
  readonly record: RequestRecord;
  readonly deadline: Deadline;
  readonly urgency: Urgency;
  /** SHA-256 that the body must have, hex; absent when the request is not signed. */
  readonly bodySha256: string | undefined;
  readonly stage: Stage;
}

/** An answer that is sent in one piece. */
export interface Answer {
  readonly ok: true;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A stream that has begun: whoever began it also ends it, and the record of its request. */
export interface Begun {
  readonly ok: true;
  readonly streaming: true;
}

/** What becomes of a request. */
export type Outcome = Answer | Begun | { readonly ok: false; readonly fault: Fault };

export function jsonAnswer(value: object, headers: Readonly<Record<string, string>> = {}, status = 200): Answer {
  return { ok: true, status, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(value) };
}

/** A header of the request, the values of one that came several times joined as RFC 9110 (5.3) has it; null when it did not come. */
export function headerOf({ headers }: Pick<IncomingMessage, "headers">, name: string): string | null {
  const value = headers[name.toLowerCase()];
  return value === undefined ? null : String(value);
}

/** Path and query as they were sent. A caller who takes us for its proxy names our address before them (RFC 9112, 3.2.2). */
export function targetOf({ url = "" }: Pick<IncomingMessage, "url">): string {
  if (url.startsWith("/") || !URL.canParse(url)) return url;
  const { pathname, search } = new URL(url);
  return pathname + search;
}
