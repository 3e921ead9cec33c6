import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { randomOf } from "../simulate/random.ts";
import type { SeenRequest } from "./request-heads.ts";
import { Wire } from "./wire.ts";

/** Real connections: a server that says ten times what it hears, and a client before the wire. */

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const asks = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";

async function wired() {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => socket.write(data.toString().repeat(100)));
    socket.on("end", () => socket.end("the end"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const seen: SeenRequest[] = [];
  const wire = await Wire.open(randomOf(1), (request) => {
    seen.push(request);
    return { failed: () => undefined };
  });
  wire.port = (server.address() as AddressInfo).port;
  const client = connect({ port: Number(wire.address.split(":")[1]), host: "127.0.0.1", allowHalfOpen: true });
  closing.push(() => {
    client.destroy();
    void wire.close();
    server.close();
  });
  await once(client, "connect");
  return { wire, client, seen };
}

function heard(client: Socket): { text: string; how: Promise<string> } {
  const got = { text: "", how: Promise.resolve("") };
  client.on("data", (data) => {
    got.text += data.toString();
  });
  const reset = once(client, "close").catch((error) => error.code);
  got.how = Promise.race([once(client, "end").then(() => "end"), reset]).catch((error) => error.code);
  return got;
}

test("in calm all bytes pass, and then the end of either side", async () => {
  const { client, seen } = await wired();
  const got = heard(client);
  client.end(asks);
  expect(await got.how).toBe("end");
  expect(got.text).toBe(`${asks.repeat(100)}the end`);
  expect(seen).toEqual([{ method: "GET", path: "/readyz" }]);
});

test("slowed, they come late and whole", async () => {
  const { wire, client } = await wired();
  wire.weather = { kind: "slow", delayMs: 100, bytesPerS: 100_000 };
  const got = heard(client);
  const startedMs = performance.now();
  client.end(asks);
  expect(await got.how).toBe("end");
  expect(got.text).toBe(`${asks.repeat(100)}the end`);
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(200);
});

test.each(["half-close", "reset"] as const)("by %s an answer is cut in its middle", async (kind) => {
  const { wire, client } = await wired();
  wire.weather = { kind };
  const got = heard(client);
  client.write(asks);
  expect(await got.how).toBe(kind === "reset" ? "ECONNRESET" : "end");
  expect(got.text.length).toBeLessThan(asks.length * 100);
});

test("what a blackhole kept arrives when it is over", async () => {
  const { wire, client, seen } = await wired();
  wire.weather = { kind: "blackhole" };
  const got = heard(client);
  client.end(asks);
  // Another one, on which nothing passes either.
  const other = connect({ port: Number(wire.address.split(":")[1]), host: "127.0.0.1" });
  closing.push(() => other.destroy());
  await once(other, "connect");
  expect([got.text, seen.length]).toEqual(["", 1]);
  wire.weather = { kind: "calm" };
  expect(await got.how).toBe("end");
  expect(got.text).toBe(`${asks.repeat(100)}the end`);
});

test("what was connected before a drop hears nothing ever again, and what comes later is well", async () => {
  const { wire, client } = await wired();
  const got = heard(client);
  wire.weather = { kind: "drop" };
  wire.weather = { kind: "calm" };
  client.end(asks);
  const later = connect({ port: Number(wire.address.split(":")[1]), host: "127.0.0.1", allowHalfOpen: true });
  closing.push(() => later.destroy());
  const well = heard(later);
  later.end(asks);
  expect(await well.how).toBe("end");
  expect([got.text, well.text]).toEqual(["", `${asks.repeat(100)}the end`]);
});
