import type { IncomingMessage, ServerResponse } from "node:http";
import { headers } from "@ledge/contract";
import type { Answer } from "../request.ts";

/** How long, and how much, of a body that nobody wants is read, so that its caller gets to read why. */
const restMsMax = 500;
const restBytesMax = 67_108_864;

/** Sends an answer in one piece. Of a caller who hung up nothing is left to do. */
export function sendAnswer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requestId: string,
  { status, headers: named, body }: Answer,
): void {
  if (outgoing.destroyed) return;
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  if (!incoming.readableEnded) readRest(incoming);
  outgoing.writeHead(status, { ...named, "Content-Length": length, [headers.requestId]: requestId });
  outgoing.end(body);
}

/** A connection that is closed with bytes unread is reset, and what was answered may be lost with it. */
function readRest(incoming: IncomingMessage): void {
  let bytes = 0;
  const cut = () => incoming.socket.destroySoon();
  const timer = setTimeout(cut, restMsMax);
  incoming.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > restBytesMax) cut();
  });
  incoming.once("close", () => clearTimeout(timer));
  incoming.once("end", () => clearTimeout(timer));
  incoming.resume();
}
