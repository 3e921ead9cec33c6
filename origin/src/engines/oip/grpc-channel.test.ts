import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GrpcChannel, grpcStatus } from "./grpc-channel.ts";

const never = new AbortController().signal;
const message = Buffer.from("hello");

let server: Http2Server;
let channel: GrpcChannel;
let sessions: ServerHttp2Session[];
let answer: (stream: ServerHttp2Stream) => void;

beforeEach(async () => {
  sessions = [];
  server = createServer();
  server.on("session", (session) => void sessions.push(session));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    answer(stream);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  channel = new GrpcChannel(`grpc://127.0.0.1:${(server.address() as AddressInfo).port}`, { "x-key": "k" }, 100);
});

afterEach(() => {
  channel.close();
  for (const session of sessions) session.destroy();
  server.close();
});

/** Answers with these bytes and this status, as a gRPC server does. */
function say(stream: ServerHttp2Stream, bytes: Buffer, status = "0"): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
  stream.end(bytes);
}

function framed(bytes: Buffer, flag = 0): Buffer {
  const prefix = Buffer.from([flag, 0, 0, 0, 0]);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

const ask = (signal = never) => channel.call("/Service/Method", message, signal);

test("a message goes out and its answer comes back as gRPC frames them", async () => {
  const heard: Buffer[] = [];
  answer = (stream) => {
    stream.on("data", (chunk: Buffer) => heard.push(chunk));
    stream.on("end", () => say(stream, framed(Buffer.from("there"))));
  };
  expect(await ask()).toEqual({ ok: true, message: Buffer.from("there") });
  expect(Buffer.concat(heard)).toEqual(framed(message));
});

test("a refusal in the only headers is heard, its words decoded", async () => {
  answer = (stream) =>
    stream.respond({ ":status": 200, "grpc-status": "3", "grpc-message": "no%20shape" }, { endStream: true });
  expect(await ask()).toEqual({ ok: false, status: grpcStatus.invalidArgument, details: "no shape" });
});

test.each([
  [503, grpcStatus.unavailable],
  [404, grpcStatus.unimplemented],
  [500, grpcStatus.unknown],
])("what stands before the server and answers %i is no answer of the server's", async (status, meant) => {
  answer = (stream) => stream.respond({ ":status": status }, { endStream: true });
  expect(await ask()).toMatchObject({ ok: false, status: meant });
});

test.each([
  ["compressed", framed(Buffer.from("there"), 1)],
  ["cut short", framed(Buffer.from("there")).subarray(0, 7)],
  ["empty", Buffer.alloc(0)],
])("an answer that is %s is none", async (_what, bytes) => {
  answer = (stream) => say(stream, bytes);
  expect(await ask()).toMatchObject({ ok: false, status: grpcStatus.internal });
});

test("an answer over the bound is given up", async () => {
  answer = (stream) => say(stream, framed(Buffer.alloc(1_000)));
  expect(await ask()).toMatchObject({
    ok: false,
    status: grpcStatus.unknown,
    details: "the answer has over 100 bytes",
  });
});

test("a fired signal resets the stream", async () => {
  const caller = new AbortController();
  const reset = new Promise<number | undefined>((resolve) => {
    answer = (stream) => {
      stream.on("close", () => resolve(stream.rstCode));
      caller.abort("disconnected");
    };
  });
  expect(await ask(caller.signal)).toMatchObject({ ok: false });
  expect(await reset).toBe(8);
  expect(await ask(AbortSignal.abort())).toMatchObject({ ok: false, status: grpcStatus.cancelled });
});

test("a connection that the server ends costs the calls on it, and the next call makes another", async () => {
  answer = (stream) => stream.session?.destroy();
  expect(await ask()).toMatchObject({ ok: false, status: grpcStatus.unavailable });
  answer = (stream) => say(stream, framed(message));
  expect(await ask()).toEqual({ ok: true, message });
  expect(sessions).toHaveLength(2);
});

test("a channel that is closed while it connects ends quietly", async () => {
  answer = (stream) => say(stream, framed(message));
  const asked = ask();
  channel.close();
  await asked;
  expect(await ask()).toEqual({ ok: true, message });
});
