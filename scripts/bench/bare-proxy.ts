import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * The least that a process in between costs in Node: it takes a request whole, asks the server of the argument by a connection that it
 * keeps, and sends on what comes. What the origin adds beyond this is the origin's.
 */

const target = new URL(process.argv[2] ?? "");
const agent = new Agent({ keepAlive: true, timeout: 4_000 });

const server = createServer(async (incoming, outgoing) => {
  const body = await wholeOf(incoming);
  const type = { "Content-Type": incoming.headers["content-type"] ?? "" };
  const headers = { Host: target.host, ...type, "Content-Length": body.length };
  const { hostname, port } = target;
  const asked = request({ hostname, port, path: incoming.url, method: "POST", headers, agent });
  asked.once("error", (error) => outgoing.destroy(error));
  asked.once("response", async (answer: IncomingMessage) => {
    const { statusCode = 0, headers } = answer;
    const type = { "Content-Type": headers["content-type"] ?? "" };
    if (headers["content-length"] === undefined) {
      outgoing.writeHead(statusCode, type);
      answer.on("data", (data) => outgoing.write(data));
      answer.on("end", () => outgoing.end());
      return;
    }
    const whole = await wholeOf(answer);
    outgoing.writeHead(statusCode, { ...type, "Content-Length": whole.length });
    outgoing.end(whole);
  });
  asked.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));

function wholeOf(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => resolve(Buffer.concat(chunks)));
    message.on("error", reject);
  });
}
