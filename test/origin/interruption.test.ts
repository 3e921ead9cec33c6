import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { packageDocument, packageManifest } from "@ledge/contract";
import { expect, test, vi } from "vitest";
import { modelsDirDefault } from "../../origin/src/config.ts";
import { freePort } from "../../scripts/local/port.ts";
import { asks, collect, eventsOf, type OriginProcess, type Running, secret, startOrigin } from "./origin-process.ts";

/** What a spot machine's end looks like to the origin: SIGTERM in the middle of everything, and some seconds. */

const manifest = packageManifest.parse(JSON.parse(readFileSync(join(modelsDirDefault, "intent/1/model.json"), "utf8")));
const digest = createHash("sha256").update(packageDocument(manifest)).digest("hex");

const fakes = [
  { name: "slow", tokens: ["a", "b", "c", "d", "e", "f"], tokenMs: 100 },
  { name: "endless", endless: true, tokenMs: 5 },
];

interface Load {
  readonly running: number;
  readonly waiting: number;
}

async function start(more: Record<string, string>): Promise<Running & { readonly load: () => Promise<Load> }> {
  const port = await freePort(0, "METRICS_PORT");
  const models = { MODELS: "intent", FAKE_MODELS: JSON.stringify(fakes), METRICS_PORT: String(port) };
  const limits = { PREDICT_RUNNING_MAX: "1", CHAT_RUNNING_MAX: "2", CHAT_WAITING_MAX: "64" };
  const running = await startOrigin({ ...models, ...limits, DRAIN_MS: "60000", ...more });
  const load = async () => {
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const sum = (name: string) =>
      [...page.matchAll(new RegExp(`^ledge_origin_${name}\\S* (\\d+)$`, "gm"))].reduce(
        (all, [, one]) => all + Number(one),
        0,
      );
    return { running: sum("running"), waiting: sum("waiting") };
  };
  return { ...running, load };
}

const question = { model: "intent", version: "1", digest, topK: 1, logits: false };
const predicts = { ...question, inputs: Array.from({ length: 64 }, (_, at) => `how much is on account ${at}?`) };

function callsLogged(origin: OriginProcess) {
  return origin.log().filter(({ path }) => String(path).startsWith("/v1/"));
}

function rawCall(json: unknown): string {
  const body = JSON.stringify(json);
  const head = ["POST /v1/chat/completions HTTP/1.1", "Host: origin", `Authorization: Bearer ${secret}`];
  return [...head, "Content-Type: application/json", `Content-Length: ${body.length}`, "", body].join("\r\n");
}

test("an interruption loses no accepted call: streams that run and answers that still queue all get theirs", async () => {
  const { origin, call, load } = await start({});
  const streams = [0, 1, 2, 3].map(async () => {
    const response = await call("/v1/chat/completions", { json: asks("slow", { stream: true }) });
    return [response.status, (await collect(eventsOf(response))).at(-1)];
  });
  const wholes = Array.from({ length: 12 }, async () => {
    const response = await call("/v1/chat/completions", { json: asks("slow") });
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    return [response.status, choices[0]?.message.content];
  });
  const all = Promise.all([Promise.all(streams), Promise.all(wholes)]);
  // Accepted is what runs, waits or is answered: before, a call may still lie in the system's queue of connections.
  await vi.waitFor(async () => {
    const { running, waiting } = await load();
    expect(running + waiting + callsLogged(origin).length).toBe(streams.length + wholes.length);
    expect(waiting).toBeGreaterThan(0);
  }, 20_000);
  origin.child.kill("SIGTERM");
  const [streamed, whole] = await all;
  expect(streamed).toEqual(streams.map(() => [200, "[DONE]"]));
  expect(whole).toEqual(wholes.map(() => [200, "abcdef"]));
  expect((await origin.ended()).status).toBe(0);
});

test("under a load that never pauses, predicts that queue included, whatever the origin accepted is answered and the rest is turned away at the door", async () => {
  const { origin, call, load } = await start({});
  let answered = 0;
  let turnedAway = 0;
  const callers = Array.from({ length: 12 }, async (_, at) => {
    const ask =
      at < 8
        ? () => call("/v1/predict", { json: predicts })
        : () => call("/v1/chat/completions", { json: asks("slow", { stream: true }) });
    for (;;) {
      try {
        const response = await ask();
        const body = await response.text();
        expect([response.status, body.includes(at < 8 ? '"predictions"' : "data: [DONE]")]).toEqual([200, true]);
        answered++;
      } catch (error) {
        // The connection was refused or closed before an answer began: such a call may be sent elsewhere.
        expect(String(error)).toContain("fetch failed");
        turnedAway++;
        return;
      }
    }
  });
  await vi.waitFor(async () => {
    expect(answered).toBeGreaterThan(12);
    expect((await load()).waiting).toBeGreaterThan(2);
  }, 20_000);
  origin.child.kill("SIGTERM");
  await Promise.all(callers);
  expect((await origin.ended()).status).toBe(0);
  expect(turnedAway).toBe(callers.length);
  const accepted = callsLogged(origin);
  expect(accepted.filter(({ status, code }) => status !== 200 || code !== undefined)).toEqual([]);
  expect(accepted.length).toBe(answered);
});

test("a call that comes on an open connection while draining is answered, and its answer closes the connection", async () => {
  const { origin, url } = await start({});
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += String(data);
  });
  const closed = once(socket, "close");
  socket.write(rawCall(asks("slow", { stream: true })));
  await vi.waitFor(() => expect(received).toContain('"content":"a"'), 20_000);
  origin.child.kill("SIGTERM");
  await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow(), 20_000);
  socket.write(rawCall(asks("slow")));
  await closed;
  const [first, second] = received.split(/(?<=0\r\n\r\n)(?=HTTP)/);
  expect(first).toContain("data: [DONE]");
  expect(second).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(second).toMatch(/\r\nconnection: close\r\n/i);
  expect(second).toContain('"content":"abcdef"');
  expect((await origin.ended()).status).toBe(0);
});

test("a drain as long as the longest call calls no accepted call off: each ends by itself or at its own deadline", async () => {
  const { origin, call } = await start({ DRAIN_MS: "3000", TIMEOUT_MS: "3000", TIMEOUT_MS_MAX: "3000" });
  const json = asks("endless", { stream: true, max_tokens: 4000 });
  // It asks for a minute and gets what the deployment allows.
  const longest = await call("/v1/chat/completions", { json, headers: { "ledge-timeout-ms": "60000" } });
  const short = await call("/v1/chat/completions", { json: asks("slow", { stream: true }) });
  origin.child.kill("SIGTERM");
  expect((await collect(eventsOf(short))).at(-1)).toBe("[DONE]");
  const events = await collect(eventsOf(longest));
  expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ error: { code: "deadline_exceeded" } });
  expect((await origin.ended()).status).toBe(0);
});

test("what outlasts the drain is called off with a code that says try elsewhere, and the origin still ends with status 0", async () => {
  const { origin, call, load } = await start({ DRAIN_MS: "100" });
  const json = asks("endless", { max_tokens: 4000 });
  const running = await Promise.all(
    [0, 1].map(() => call("/v1/chat/completions", { json: { ...json, stream: true } })),
  );
  const queued = call("/v1/chat/completions", { json });
  await vi.waitFor(async () => expect(await load()).toEqual({ running: 2, waiting: 1 }), 20_000);
  origin.child.kill("SIGTERM");
  for (const response of running) {
    const events = await collect(eventsOf(response));
    expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ error: { code: "origin_unavailable" } });
  }
  const turnedAway = await queued;
  expect(turnedAway.status).toBe(503);
  expect(await turnedAway.json()).toMatchObject({ code: "origin_unavailable" });
  expect((await origin.ended()).status).toBe(0);
});
