import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Running, secret, startFakes } from "./origin-process.ts";

let running: Running;
beforeAll(async () => {
  running = await startFakes([{ name: "fake" }]);
});
afterAll(async () => {
  await running.origin.stop();
});

/** Sends bytes as they are and gives back what comes first. */
function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(running.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.once("data", (data) => {
      resolve(String(data));
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(""));
  });
}

const head = `Host: x\r\nAuthorization: Bearer ${secret}\r\nContent-Type: application/json\r\n`;

test.each([
  ["no HTTP at all", "XX\r\n\r\n"],
  ["a Host that is none", `GET /v1/models HTTP/1.1\r\nHost: a b\r\n\r\n`],
  ["no Host", "GET /v1/models HTTP/1.1\r\n\r\n"],
  ["a path that is no URL", `GET //[::: HTTP/1.1\r\n${head}\r\n`],
  ["a length that is no number", `POST /v1/predict HTTP/1.1\r\n${head}Content-Length: many\r\n\r\n`],
  ["a broken chunk", `POST /v1/predict HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
])("%s is a 4xx or a closed connection, and the origin lives on", async (_what, bytes) => {
  expect(await raw(bytes)).toMatch(/^$|^HTTP\/1\.1 4/);
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
});

test("a body that does not come is left at the deadline", async () => {
  const slow = `POST /v1/predict HTTP/1.1\r\n${head}Ledge-Timeout-Ms: 50\r\nContent-Length: 100\r\n\r\n{`;
  expect(await raw(slow)).toMatch(/^HTTP\/1\.1 504/);
});

test("a body ten times over the bound is refused while it comes", async () => {
  const body = " ".repeat(10_485_760);
  expect((await running.call("/v1/predict", { method: "POST", body })).status).toBe(413);
});
