import { afterEach, beforeEach, expect, test } from "vitest";
import type { Told } from "../../workers/dispatch/src/learn/turns.ts";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, type OriginCall, startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";

/** Streams that break off midway: what the dispatch Worker, which does not look into them, learns of that. */

const chat = { model: "tiny-chat", messages: [{ role: "user", content: "hello" }], stream: true };
const kept = { temperature: 0 };

let near: ChatOrigin;
let far: ChatOrigin;
let edge: TestEdge | undefined;
let key: string;

beforeEach(async () => {
  [near, far] = await Promise.all([startChatOrigin(), startChatOrigin()]);
  near.onCall = drops;
  far.onCall = answers;
});
afterEach(async () => {
  await edge?.close();
  await Promise.all([near.close(), far.close()]);
});

async function start(...origins: readonly ChatOrigin[]): Promise<TestEdge> {
  const pools = origins.map(({ url }, at) => ({ region: `r${at}`, origins: [{ name: `o-${at}`, url }] }));
  edge = await startEdge({ dispatch: { ORIGIN_URL: "", ORIGINS: JSON.stringify(pools) } });
  key = (await edge.issueKey()).key;
  return edge;
}

function answers(call: OriginCall): void {
  call.say("well");
  call.end();
}

function drops(call: OriginCall): void {
  call.say("half");
  setImmediate(() => call.drop());
}

/** Says more until its reader has gone: only who writes notices. */
function saysOn(call: OriginCall): void {
  const timer = setInterval(() => (call.left ? clearInterval(timer) : call.say("more")), 10);
}

function fails(code: string) {
  return (call: OriginCall) => {
    call.say("half");
    call.event({ error: { message: "It failed.", type: "server_error", code } });
    call.over();
  };
}

/** What one call got, and of whom. */
async function ask(at: TestEdge, more: object): Promise<readonly [by: string | undefined, text: string]> {
  const answer = await at.post("/v1/chat/completions", key, { ...chat, ...more });
  return [answer.headers.get("Ledge-Origin")?.split(";")[0], await answer.text()];
}

const broken = (at: TestEdge) => at.logs.filter((line) => line.includes("a stream broke off"));

test.each([
  ["loses its connection", drops, {}],
  ["loses its connection, shared and to be kept,", drops, kept],
  ["ends with an error event", fails("upstream_failed"), {}],
  ["ends with an error event, shared and to be kept,", fails("upstream_failed"), kept],
])("after a stream that %s the next call is answered by another origin", async (_how, does, more) => {
  near.onCall = does;
  const at = await start(near, far);
  const [by, text] = await ask(at, more);
  expect(by).toBe("o-0");
  expect(text).toContain('"code":"upstream_failed"');
  expect(text).not.toContain("[DONE]");
  await until("it is told", () => broken(at).length === 1);
  expect(await ask(at, { ...more, seed: 1 })).toEqual(["o-1", expect.stringContaining("[DONE]")]);
});

test("a model whose streams break off is left, and the other isolates hear of it", async () => {
  const at = await start(near);
  for (let call = 0; call < 12; call++) {
    await ask(at, {});
    await until("it is told", () => broken(at).length > call);
  }
  await until("it is left", () => at.logs.some((line) => line.includes("o-0|tiny-chat@1 is left")));
  const books = await at.miniflare.getDurableObjectNamespace("ORIGIN_BOOK", "ledge-dispatch");
  const book = books.get(books.idFromName("origins")) as unknown as { exchange(turns: []): Promise<readonly Told[]> };
  await until("it is in the book", async () => {
    const told = await book.exchange([]);
    return told.some((turn) => turn.key === "o-0|tiny-chat@1" && turn.news.kind === "open");
  });
});

test("a stream whose time is up, or whose caller leaves, is no failure of its origin", async () => {
  const at = await start(near);
  near.onCall = fails("deadline_exceeded");
  expect((await ask(at, {}))[1]).toContain("deadline_exceeded");
  near.onCall = saysOn;
  const left = await at.post("/v1/chat/completions", key, chat);
  await left.body?.cancel();
  await until("the engine is stopped", () => near.calls.at(-1)?.left === true);
  near.onCall = fails("upstream_failed");
  await ask(at, {});
  await until("the one that failed is told", () => broken(at).length === 1);
  near.onCall = answers;
  expect(await ask(at, {})).toEqual(["o-0", expect.stringContaining("[DONE]")]);
});

test("who asks the dispatch Worker's path for that at the gateway finds nothing there", async () => {
  const at = await start(near);
  const answer = await at.post("/streams/broken", key, {});
  expect([answer.status, (await bodyOf(answer)).code]).toEqual([404, "not_found"]);
});
