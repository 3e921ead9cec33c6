import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ask } from "./ask.ts";
import type { Call } from "./call.ts";

/** One request to one server, and what is read from what it does. */

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function asking(does: RequestListener, deadlineMs = Date.now() + 10_000) {
  server = createServer(does);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const call: Call = {
    method: "POST",
    path: "/v1/predict",
    body: new TextEncoder().encode("{}"),
    bodySha256: "0".repeat(64),
    headers: [["Content-Type", "application/json"]],
    model: "intent@1",
    continent: undefined,
    deadlineMs,
    hedged: false,
  };
  const deps = { hmac: () => "f".repeat(64), signal: undefined, nowMs: () => Date.now() };
  return await ask({ name: "o", url, weight: 1 }, call, deps);
}

test("an answer that breaks off in the middle is silence, and not a short answer", async () => {
  const asked = await asking((_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
    response.write("{");
    setImmediate(() => response.destroy());
  });
  expect([asked.verdict, asked.response?.status, asked.lost]).toEqual(["silent", 502, undefined]);
});

test("a connection that is lost before anything came is told from that", async () => {
  const asked = await asking((request) => void request.socket.destroy());
  expect([asked.verdict, asked.response, asked.lost]).toEqual(["silent", undefined, true]);
});

test("what a proxy says of an origin that is gone is silence", async () => {
  const asked = await asking((_request, response) => {
    response.writeHead(502, { "Content-Type": "text/html" });
    response.end("<h1>Bad gateway</h1>");
  });
  expect(asked.verdict).toBe("silent");
});

test("a refusal is passed on as it was said, with the time to come back", async () => {
  const asked = await asking((_request, response) => {
    response.writeHead(503, { "Content-Type": "application/problem+json", "Retry-After": "7" });
    response.end(JSON.stringify({ code: "overloaded", detail: "full" }));
  });
  expect([asked.verdict, asked.retryAfterMs]).toEqual(["elsewhere", 7_000]);
  expect(await asked.response?.json()).toEqual({ code: "overloaded", detail: "full" });
});

test("an origin is told the time that is left, as a duration and as a moment, and each request has a signature of its own", async () => {
  const seen: (string | string[] | undefined)[][] = [];
  const deadlineMs = Date.now() + 10_000;
  for (let request = 0; request < 2; request++) {
    await asking(({ headers }, response) => {
      seen.push([headers["ledge-timeout-ms"], headers["ledge-deadline"], headers["ledge-signature"]]);
      response.end("{}");
    }, deadlineMs);
  }
  const [first = [], second = []] = seen;
  expect(Number(first[0])).toBeLessThanOrEqual(10_000);
  expect(Number(second[0])).toBeLessThanOrEqual(Number(first[0]));
  expect([first[1], second[1]]).toEqual([String(deadlineMs), String(deadlineMs)]);
  expect(first[2]).not.toBe(second[2]);
});

test("an origin with a binding is asked by it, and not over the internet", async () => {
  const asked: string[] = [];
  const binding = {
    fetch: async (url: string, init: RequestInit) => {
      asked.push(`${init.method} ${url}`);
      return Response.json({ said: true });
    },
  };
  const origin = { name: "o", url: "http://eu.internal", weight: 1, binding };
  const call: Call = {
    method: "POST",
    path: "/v1/predict",
    body: new Uint8Array(),
    bodySha256: "0".repeat(64),
    headers: [],
    model: "intent@1",
    continent: undefined,
    deadlineMs: Date.now() + 10_000,
    hedged: false,
  };
  const { verdict, response } = await ask(origin, call, { hmac: () => "", signal: undefined, nowMs: () => Date.now() });
  expect([verdict, await response?.json(), asked]).toEqual([
    "answered",
    { said: true },
    ["POST http://eu.internal/v1/predict"],
  ]);
});
