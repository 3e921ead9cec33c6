import { connect, type Socket } from "node:net";

/** One answer, as far as a load generator needs it. */
export interface Answer {
  readonly status: number;
  /** Status line and headers, as they came. */
  readonly head: string;
  readonly bodyBytes: number;
}

/** What is waited for: called once with the answer or with why there is none. */
type Settle = (answer: Answer | Error) => void;

const headEnd = Buffer.from("\r\n\r\n");
const chunkedEnd = Buffer.from("\r\n0\r\n\r\n");
const nothing = Buffer.alloc(0);

/**
 * One keep-alive HTTP/1.1 connection, one request at a time. By hand, because a generator that costs as much as the
 * server it drives measures itself: this one takes a few microseconds a request, `fetch` fifty.
 * Reads answers with a Content-Length or in chunks; throws away bodies.
 */
export class Connection {
  readonly #socket: Socket;
  #settle: Settle | undefined;
  #head: Buffer = nothing;
  #status = 0;
  #headText = "";
  #inBody = false;
  /** Bytes of the body still to come; −1 while it comes in chunks. */
  #left = 0;
  #bodyBytes = 0;
  /** The last bytes of a chunked body: its end may be torn between two reads. */
  #tail: Buffer = nothing;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on("data", (data) => this.#read(data));
    this.#socket.on("error", (error) => this.#finish(error));
    this.#socket.on("close", () => this.#finish(new Error("the server closed the connection")));
  }

  get busy(): boolean {
    return this.#settle !== undefined;
  }

  /** Sends a whole request; `settle` is called once its answer is complete. */
  send(request: Buffer, settle: Settle): void {
    this.#settle = settle;
    this.#head = nothing;
    this.#inBody = false;
    this.#bodyBytes = 0;
    this.#socket.write(request);
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #finish(outcome: Answer | Error): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }

  #read(data: Buffer): void {
    if (this.#inBody) {
      this.#readBody(data);
      return;
    }
    const bytes = this.#head.length === 0 ? data : Buffer.concat([this.#head, data]);
    const end = bytes.indexOf(headEnd);
    if (end < 0) {
      this.#head = bytes;
      return;
    }
    this.#headText = bytes.toString("latin1", 0, end);
    this.#status = Number(this.#headText.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#headText);
    this.#left = length === null ? -1 : Number(length[1]);
    this.#inBody = true;
    // In front of a first chunk there is a line end too: an empty body is found like a torn one.
    this.#tail = bytes.subarray(end + 2, end + 4);
    this.#readBody(bytes.subarray(end + 4));
  }

  #readBody(data: Buffer): void {
    this.#bodyBytes += data.length;
    if (this.#left >= 0) {
      this.#left -= data.length;
      if (this.#left > 0) return;
    } else {
      this.#tail = Buffer.concat([this.#tail, data]).subarray(-chunkedEnd.length);
      if (!this.#tail.equals(chunkedEnd)) return;
    }
    this.#finish({ status: this.#status, head: this.#headText, bodyBytes: this.#bodyBytes });
  }
}

/** A whole HTTP/1.1 request as bytes, made once and sent many times. */
export function requestBytes(url: URL, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const payload = Buffer.from(body);
  const lines = [`POST ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  lines.push(`Content-Length: ${payload.length}`, "", "");
  return Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), payload]);
}
