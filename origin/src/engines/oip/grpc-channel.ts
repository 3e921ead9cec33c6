import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";

/** Statuses of gRPC that mean something here (grpc/doc/statuscodes.md). */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
  permissionDenied: 7,
} as const;

export type GrpcAnswer =
  | { readonly ok: true; readonly message: Buffer }
  /** `status` as gRPC counts them, never 0. */
  | { readonly ok: false; readonly status: number; readonly details: string };

/** What a call without `grpc-status` in its answer met: not a gRPC server, but something before it (doc/http-grpc-status-mapping.md). */
const statusOfHttp: Readonly<Record<number, number>> = {
  400: grpcStatus.internal,
  401: grpcStatus.unauthenticated,
  403: grpcStatus.permissionDenied,
  404: grpcStatus.unimplemented,
  429: grpcStatus.unavailable,
  502: grpcStatus.unavailable,
  503: grpcStatus.unavailable,
  504: grpcStatus.unavailable,
};

/** In front of a message: whether it is compressed, and its length. */
const prefixBytes = 5;
/** What may be on its way to us without our word, bytes, of one answer and of all: with HTTP/2's 65,535 a large tensor comes in steps. */
const windowBytes = 1_048_576;
const sessionWindowBytes = 16_777_216;

/**
 * Unary calls of gRPC over one HTTP/2 connection (doc/PROTOCOL-HTTP2.md), which is made anew when it is gone. By Node's own client:
 * what the library of gRPC's authors adds, that balances, retries and intercepts, costs as much CPU time as the call.
 */
export class GrpcChannel {
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #answerBytesMax: number;
  #session: ClientHttp2Session | undefined;

  /** `url`: `grpc:` or, where TLS is spoken, `grpcs:`. `headers` are sent with every call. */
  constructor(url: string, headers: Readonly<Record<string, string>>, answerBytesMax: number) {
    const { protocol, hostname, port } = new URL(url);
    this.#origin = `${protocol === "grpcs:" ? "https" : "http"}://${hostname}:${port || "443"}`;
    this.#headers = { ...headers, ":method": "POST", "content-type": "application/grpc", te: "trailers" };
    this.#answerBytesMax = answerBytesMax;
  }

  /** The connection that the next call goes by. */
  get connection(): object {
    const session = this.#session;
    return session === undefined || session.closed || session.destroyed ? this.#connect() : session;
  }

  /** Never rejects. The server hears of a fired signal by the stream's reset. */
  call(path: string, message: Uint8Array, signal: AbortSignal): Promise<GrpcAnswer> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve({ ok: false, status: grpcStatus.cancelled, details: "" });
      let stream: ClientHttp2Stream;
      try {
        stream = (this.connection as ClientHttp2Session).request({ ...this.#headers, ":path": path });
      } catch (error) {
        return resolve({ ok: false, status: grpcStatus.unavailable, details: String(error) });
      }
      const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
      signal.addEventListener("abort", cancel);
      answerOf(stream, this.#answerBytesMax).then((answer) => {
        signal.removeEventListener("abort", cancel);
        resolve(answer);
      });
      stream.end(framed(message));
    });
  }

  /** Leaves this connection, if it is still the one; calls that are under way on it may end. */
  leave(connection: object): void {
    if (connection !== this.#session) return;
    this.#session.close();
    this.#session = undefined;
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #connect(): ClientHttp2Session {
    const settings = { enablePush: false, initialWindowSize: windowBytes };
    const session = connect(this.#origin, { settings });
    session.once("connect", () => {
      // It may be closed again before this is told.
      if (!session.destroyed) session.setLocalWindowSize(sessionWindowBytes);
    });
    // Its calls hear of it too.
    session.on("error", () => {});
    this.#session = session;
    return session;
  }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + message.byteLength);
  frame[0] = 0;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, prefixBytes);
  return frame;
}

function answerOf(stream: ClientHttp2Stream, bytesMax: number): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let head: IncomingHttpHeaders = {};
    let failure: Error | undefined;
    // A server that refuses at once says so in its only headers.
    let tail: IncomingHttpHeaders | undefined;
    stream.on("response", (headers) => {
      head = headers;
    });
    stream.on("trailers", (headers) => {
      tail = headers;
    });
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes <= bytesMax + prefixBytes) return;
      resolve(refusal(grpcStatus.unknown, `the answer has over ${bytesMax} bytes`));
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on("error", (error) => {
      failure = error;
    });
    stream.on("close", () => {
      const said = tail ?? head;
      if (said["grpc-status"] !== undefined) resolve(settled(said, chunks));
      else resolve(unsettled(head, stream.rstCode, failure));
    });
  });
}

function settled(said: IncomingHttpHeaders, chunks: readonly Buffer[]): GrpcAnswer {
  const status = Number(said["grpc-status"]);
  if (status !== grpcStatus.ok) return refusal(status || grpcStatus.unknown, detailsIn(said));
  const [first] = chunks;
  const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
  const isWhole = bytes.byteLength >= prefixBytes && bytes.readUInt32BE(1) === bytes.byteLength - prefixBytes;
  // We name no compression, so none may be used.
  if (!isWhole || bytes[0] !== 0) return refusal(grpcStatus.internal, "the answer is no message");
  return { ok: true, message: bytes.subarray(prefixBytes) };
}

/** It ended without a status: refused by what stands before the server, cut off, or never there. */
function unsettled(head: IncomingHttpHeaders, resetCode: number | undefined, failure: Error | undefined): GrpcAnswer {
  const status = Number(head[":status"]);
  if (status > 0 && status !== 200) return refusal(statusOfHttp[status] ?? grpcStatus.unknown, `HTTP status ${status}`);
  const details = failure === undefined ? `the call was reset with code ${resetCode}` : String(failure);
  if (resetCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) return refusal(grpcStatus.resourceExhausted, details);
  return refusal(grpcStatus.unavailable, details);
}

function refusal(status: number, details: string): GrpcAnswer {
  return { ok: false, status, details };
}

/** `grpc-message` is percent-encoded; one that is not is taken as it is. */
function detailsIn({ "grpc-message": message = "" }: IncomingHttpHeaders): string {
  try {
    return decodeURIComponent(String(message));
  } catch {
    return String(message);
  }
}
