import type { Fault } from "@ledge/contract";
import { clientClosed } from "../call-off.ts";

/** One line of the log. It never holds a prompt, an answer or a secret: only what is named here. */
export interface RequestLine {
  readonly at: string;
  readonly level: "info" | "warn" | "error";
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Milliseconds from the request's arrival to the end of its answer. */
  readonly ms: number;
  readonly code?: string;
  readonly model?: string;
  readonly cause?: string;
  readonly queueMs?: number;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
}

export type LineSink = (line: RequestLine) => void;

let held = "";

/**
 * JSON lines on standard error: standard output belongs to the ready line. The lines of one turn of the event loop are written
 * together, behind the answers that they are about: a write to a pipe holds everything up until it is done.
 */
export function logToStderr(line: RequestLine): void {
  if (held === "") setImmediate(writeHeld);
  held += `${JSON.stringify(line)}\n`;
}

/** Something the operator should know that is about no request. It never ends the process. */
export function noteToStderr(level: "info" | "warn", note: string): void {
  writeHeld();
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, note })}\n`);
}

function writeHeld(): void {
  const lines = held;
  held = "";
  if (lines !== "") process.stderr.write(lines);
}

process.once("exit", writeHeld);

export interface RequestFacts {
  code?: string;
  model?: string;
  cause?: string;
  queueMs?: number;
  promptTokens?: number;
  completionTokens?: number;
}

/** What is learnt of a request on its way; written once, when its answer has ended. */
export class RequestRecord {
  readonly requestId: string;
  readonly facts: RequestFacts = {};
  /** True while a stream still runs after the handler has returned; the stream then finishes the record. */
  streaming = false;
  readonly #method: string;
  readonly #path: string;
  readonly #startedMs: number;
  readonly #clock: { nowMs(): number; sink: LineSink };
  #finished = false;

  constructor(
    request: { requestId: string; method: string; path: string },
    clock: { nowMs(): number; sink: LineSink },
  ) {
    this.requestId = request.requestId;
    this.#method = request.method;
    this.#path = request.path.slice(0, 200);
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
  }

  /** Notes why the request failed. A caller who hung up is told from a deadline by the cause. */
  fault(fault: Fault): void {
    this.facts.code = fault.cause === clientClosed ? clientClosed : fault.code;
    if (fault.cause !== undefined && fault.cause !== clientClosed) this.facts.cause = fault.cause;
  }

  finish(status: number): void {
    if (this.#finished) return;
    this.#finished = true;
    const nowMs = this.#clock.nowMs();
    this.#clock.sink({
      at: new Date(nowMs).toISOString(),
      level: this.#level(status),
      requestId: this.requestId,
      method: this.#method,
      path: this.#path,
      status,
      ms: Math.round(nowMs - this.#startedMs),
      ...this.facts,
    });
  }

  /** A stream has long said 200 when it fails: its code tells. */
  #level(status: number): RequestLine["level"] {
    if (status >= 500 || (status < 400 && this.facts.code !== undefined)) return "error";
    return status >= 400 ? "warn" : "info";
  }
}
