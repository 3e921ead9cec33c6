import { type Fault, headers, streamUsageMark } from "@ledge/contract";
import type { ChatEvent } from "../engines/engine.ts";
import { holdsAnswer } from "../engines/said.ts";
import type { OriginCall, Outcome } from "../request.ts";
import type { Bill } from "./bill.ts";
import { ChunkMaker, type CompletionHead } from "./completion.ts";
import { streamError } from "./problem.ts";

interface StreamOptions {
  readonly includeUsage: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** Told once what becomes of the request: a refusal, or a stream that has begun. */
  readonly begun: (outcome: Outcome) => void;
}

type Last = Extract<ChatEvent, { kind: "end" }> | Fault;

/**
 * Server-sent events as OpenAI sends them: a chunk with the role, one for each piece of text, one with the reason it
 * ended, with `includeUsage` one with the usage, then `[DONE]`. What a server said in chunks of its own is passed on instead. A
 * stream that fails ends with an error event and no `[DONE]`, so that no reader takes half an answer for a whole one.
 *
 * Events that come in one turn of the event loop are written at once: a write is what costs most of all. What a slow reader does not
 * take waits here, and counts as said once it was written.
 */
export class ChatStream {
  readonly #call: OriginCall;
  readonly #bill: Bill;
  readonly #chunks: ChunkMaker;
  readonly #options: StreamOptions;
  /** Events that are still to be written. */
  #waiting: ChatEvent[] = [];
  #first: ChatEvent | undefined;
  #pieces = 0;
  #isDue = false;
  #isFull = false;
  #isOver = false;

  constructor(call: OriginCall, bill: Bill, head: CompletionHead, options: StreamOptions) {
    this.#call = call;
    this.#bill = bill;
    this.#chunks = new ChunkMaker(head, options.includeUsage);
    this.#options = options;
  }

  take(event: ChatEvent): void {
    if (this.#isOver) return;
    if (this.#first === undefined) {
      this.#first = event;
      if (event.kind === "fault") {
        this.#isOver = true;
        this.#options.begun({ ok: false, fault: event.fault });
        return;
      }
      this.#begin();
    }
    this.#waiting.push(event);
    if (this.#isDue || this.#isFull) return;
    this.#isDue = true;
    process.nextTick(writeDue, this);
  }

  /** Writes what waits, until the reader is behind. */
  write(): void {
    this.#isDue = false;
    this.#safely(() => this.#writeWaiting());
  }

  #writeWaiting(): void {
    if (this.#isOver) return;
    const { outgoing } = this.#call;
    const events = this.#waiting;
    this.#waiting = [];
    let text = "";
    let last: Last | undefined;
    for (const event of events) {
      if (event.kind === "end") last = event;
      else if (event.kind === "fault") last = event.fault;
      else text += this.#chunkOf(event);
    }
    if (last !== undefined) {
      this.#isOver = true;
      outgoing.end(text + this.#ending(last));
    } else if (!outgoing.write(text)) {
      this.#isFull = true;
      outgoing.once("drain", () => {
        this.#isFull = false;
        if (this.#waiting.length > 0) this.write();
      });
    }
  }

  #begin(): void {
    const { outgoing, record } = this.#call;
    record.streaming = true;
    outgoing.once("close", () => this.#safely(() => this.#leave()));
    if (outgoing.destroyed) {
      this.#leave();
      return;
    }
    outgoing.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      ...this.#options.tags,
      [headers.requestId]: record.requestId,
    });
    this.#options.begun({ ok: true, streaming: true });
  }

  #chunkOf(event: Extract<ChatEvent, { kind: "text" | "said" }>): string {
    if (event.kind === "said") {
      if (holdsAnswer(event.body)) this.#pieces += 1;
      return data(this.#chunks.said(event.body));
    }
    const role = this.#pieces === 0 ? data(this.#chunks.role()) : "";
    this.#pieces += 1;
    return role + data(this.#chunks.text(event.text));
  }

  /** What is written last, once what it used is written down. */
  #ending(last: Last): string {
    const { deadline, record } = this.#call;
    deadline.clear();
    const isFault = "code" in last;
    const used = isFault
      ? this.#bill.pay(this.#pieces, last.code)
      : this.#bill.pay(last.completionTokens, undefined, last.promptTokens);
    if (isFault) record.fault(last);
    else {
      record.facts.promptTokens = last.promptTokens;
      record.facts.completionTokens = last.completionTokens;
    }
    record.finish(200);
    const said = isFault ? data(streamError(last)) : this.#finish(last);
    return this.#bill.isWanted ? `${said}${streamUsageMark}${JSON.stringify(used)}\n\n` : said;
  }

  #finish(end: Extract<ChatEvent, { kind: "end" }>): string {
    const role = this.#first?.kind === "end" ? data(this.#chunks.role()) : "";
    const reason = this.#first?.kind === "said" ? "" : data(this.#chunks.finish(end));
    const usage = this.#options.includeUsage ? data(this.#chunks.usage(end)) : "";
    return `${role}${reason}${usage}data: [DONE]\n\n`;
  }

  /** What throws here is a bug, or a journal's full disk: the stream is cut, so that nobody takes it for whole. */
  #safely(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#isOver = true;
      const { deadline, outgoing, record } = this.#call;
      deadline.callOff("disconnected");
      record.fault({ code: "internal_error", cause: String(error).slice(0, 500) });
      record.finish(200);
      outgoing.destroy();
    }
  }

  /** The reader went away. */
  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { deadline, record } = this.#call;
    this.#bill.pay(this.#pieces, "canceled");
    deadline.callOff("disconnected");
    record.facts.code = "client_closed";
    record.finish(499);
    this.#options.begun({ ok: true, streaming: true });
  }
}

/** Passed as it is: a closure for each turn of each stream would have to be collected again. */
function writeDue(stream: ChatStream): void {
  stream.write();
}

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
