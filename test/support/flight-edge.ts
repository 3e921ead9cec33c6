import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { buildVariant } from "../../scripts/edge/build.ts";
import { gatewayName } from "../../scripts/edge/run.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { type ChatOrigin, type OriginCall, startChatOrigin } from "./chat-origin.ts";
import { startEdge, type TestEdge, until } from "./ledge.ts";

/** Four gateways that share the objects of flights, as four places of an edge do, with levers to break them. */

export const gateways = 4;
const path = "/v1/chat/completions";

export let origin: ChatOrigin;
export let edge: TestEdge;
let key: string;
/** Each gateway's own port: a client that leaves there is seen to leave. */
export let urls: string[];
let prompts = 0;

export interface Asking {
  readonly content: string;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export function send(at: number, { content, body, headers, signal }: Asking): Promise<Response> {
  const chat = { model: "tiny-chat", messages: [{ role: "user", content }], temperature: 0, ...body };
  return fetch(urls[at % gateways] + path, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(chat),
    ...(signal === undefined ? {} : { signal }),
  });
}

export interface Answer {
  readonly status: number;
  readonly cache: string;
  readonly text: string;
}

export async function ask(at: number, asking: Asking): Promise<Answer> {
  const answer = await send(at, asking);
  return { status: answer.status, cache: answer.headers.get("Cache-Status") ?? "", text: await answer.text() };
}

/** Answers a call as it was asked for. */
export function answered(call: OriginCall): void {
  if (call.body.stream !== true) call.whole("one two");
  else {
    call.say("one", " two");
    call.end();
  }
}

/** The calls that the origin got since. */
export function since(before: number): readonly OriginCall[] {
  return origin.calls.slice(before);
}

export const fresh = () => `prompt ${++prompts}`;
export const streamed = { stream: true };

export const contentOf = ({ text }: Answer): string => JSON.parse(text).choices[0].message.content;

/** The payloads of a stream's events. */
export function eventsOf(text: string): string[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice(6));
}

/** The text that a stream's events add up to; `undefined` when it did not end well. */
export function spoken(text: string): string | undefined {
  const events = eventsOf(text);
  if (events.at(-1) !== "[DONE]") return undefined;
  return events
    .slice(0, -1)
    .map((event) => JSON.parse(event).choices[0]?.delta.content ?? "")
    .join("");
}

/** A stream that is read as it comes. */
export async function follow(at: number, asking: Asking) {
  const answer = await send(at, { ...asking, body: { ...streamed, ...asking.body } });
  const seen = { text: "", over: false, broke: false, cache: answer.headers.get("Cache-Status") ?? "" };
  const read = async () => {
    for await (const chunk of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()))
      seen.text += chunk;
    seen.over = true;
  };
  void read().catch(() => {
    seen.broke = true;
  });
  return seen;
}

export const callsAre = (count: number, before: number) =>
  until(`the origin got ${count} calls`, () => since(before).length >= count, 20_000);

export const joins = async () => Number(await (await fetch(`${edge.url}/test/joins`)).text());

/** Calls at these gateways, once all of them wait: each gateway's first call joins the object. */
export async function waiting(
  at: readonly number[],
  content: string,
): Promise<{ readonly answers: Promise<Answer>[] }> {
  const before = await joins();
  const answers = at.map((gateway) => ask(gateway, { content }));
  await until("all have joined", async () => (await joins()) === before + at.length, 20_000);
  return { answers };
}

/** Starts it before a file's tests, and stops it after. */
export function useFlightEdge(): void {
  beforeAll(async () => {
    const bundle = await buildVariant("gateway", join(repoRoot, "test", "edge", "flight-faults.mjs"), "gateway-faults");
    origin = await startChatOrigin();
    edge = await startEdge({ originUrl: origin.url, gateways, bundles: { gateway: bundle } });
    key = (await edge.issueKey()).key;
    const others = Array.from({ length: gateways - 1 }, (_, i) => gatewayName(i + 1));
    const direct = await Promise.all(others.map((name) => edge.miniflare.unsafeGetDirectURL(name)));
    urls = [edge.url, ...direct.map((url) => url.origin)];
    // Every gateway has looked for its keys and rules before anything is counted.
    origin.onCall = answered;
    await Promise.all(urls.map((_, at) => ask(at, { content: "warm up" })));
    origin.onCall = () => undefined;
  });
  afterEach(() => {
    origin.onCall = () => undefined;
  });
  afterAll(async () => {
    await edge.close();
    await origin.close();
  });
}
