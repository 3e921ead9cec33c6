import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, type OriginCall, startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { storeKey } from "../support/stored-keys.ts";

/** Shares of the origin under overload, in real workerd: one tenant's burst beside single calls of another's. */

const inFlightMax = 4;
const waitingMax = 12;

let origin: ChatOrigin;
let edge: TestEdge;

beforeAll(async () => {
  origin = await startChatOrigin();
  edge = await startEdge({
    originUrl: origin.url,
    gateway: { ORIGIN_IN_FLIGHT_MAX: String(inFlightMax), ORIGIN_WAITING_MAX: String(waitingMax) },
  });
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const keyOf = async (tenant: string, perMinute = 1_000_000) =>
  (await edge.issueKey({ tenant, requests_per_minute: perMinute })).key;

let prompts = 0;
function chat(key: string, who: string, stream = false): Promise<Response> {
  const messages = [{ role: "user", content: `${who} ${++prompts}` }];
  return edge.post("/v1/chat/completions", key, { model: "tiny-chat", messages, stream });
}

/** Whose call it is: what its prompt begins with. */
function ownerOf({ body }: OriginCall): string {
  const [message] = body.messages as readonly { readonly content: string }[];
  return message?.content.split(" ")[0] ?? "";
}

describe("one tenant's burst at the origin", () => {
  test("is refused with 503 and Retry-After beyond its room, while another's single calls are all answered, and soon", async () => {
    const [a, b] = [await keyOf("burst"), await keyOf("single")];
    const before = origin.calls.length;
    let refused = 0;
    const burst = Array.from({ length: 60 }, async () => {
      const answer = await chat(a, "burst");
      if (answer.status === 503) refused++;
      return answer;
    });
    await until("the room is full", () => refused === 60 - inFlightMax - waitingMax, 20_000);
    const singles = Array.from({ length: 3 }, () => chat(b, "single"));
    await until("the singles have places of the burst's", () => refused === 60 - inFlightMax - waitingMax + 3);
    let answered = before;
    const order: string[] = [];
    const ending = until("all are answered", () => {
      expect(origin.calls.length - answered).toBeLessThanOrEqual(inFlightMax);
      const next = origin.calls[answered];
      if (next !== undefined) {
        answered++;
        order.push(ownerOf(next));
        next.whole("fine");
      }
      return answered - before === inFlightMax + waitingMax;
    });
    const given = await Promise.all(singles);
    expect(given.map(({ status }) => status)).toEqual([200, 200, 200]);
    await ending;
    // Those under way cannot be stopped; from then on the tenants take turns.
    expect(order.lastIndexOf("single")).toBeLessThan(inFlightMax + 3 * 2 + 1);
    const statuses: Record<number, number> = {};
    for (const answer of await Promise.all(burst)) {
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      if (answer.status === 503) {
        expect((await bodyOf(answer)).error.code).toBe("overloaded");
        expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
      } else await answer.text();
    }
    expect(statuses).toEqual({ 200: inFlightMax + waitingMax - 3, 503: 60 - (inFlightMax + waitingMax - 3) });
  });

  test("keeps no place when its callers have gone: those who come later are answered", async () => {
    const [a, b] = [await keyOf("gone"), await keyOf("later")];
    const before = origin.calls.length;
    const leaving = new AbortController();
    const left = Array.from({ length: inFlightMax + waitingMax }, () =>
      fetch(`${edge.url}/v1/chat/completions`, {
        method: "POST",
        signal: leaving.signal,
        headers: { Authorization: `Bearer ${a}`, "Content-Type": "application/json", "Ledge-Timeout-Ms": "2000" },
        body: JSON.stringify({
          model: "tiny-chat",
          messages: [{ role: "user", content: `gone ${++prompts}` }],
          stream: true,
        }),
      }).catch(() => undefined),
    );
    await until("the origin has what it takes", () => origin.calls.length - before === inFlightMax);
    leaving.abort();
    await Promise.all(left);
    origin.onCall = (call) => call.whole("fine");
    try {
      expect((await chat(b, "later")).status).toBe(200);
    } finally {
      origin.onCall = () => undefined;
    }
  });
});

test("a limit of one's own is a 429, and a lack of ours a 503: each says so in its body, and when to come back", async () => {
  const mine = await keyOf("mine", 1);
  origin.onCall = (call) => call.whole("fine");
  await (await chat(mine, "mine")).text();
  const yours = await chat(mine, "mine");
  expect(yours.status).toBe(429);
  expect((await bodyOf(yours)).error).toMatchObject({ code: "rate_limited" });
  expect(Number(yours.headers.get("Retry-After"))).toBeGreaterThan(50);
  origin.onCall = () => undefined;

  const busy = await keyOf("busy");
  const before = origin.calls.length;
  const calls = Array.from({ length: inFlightMax + waitingMax + 1 }, () => chat(busy, "busy"));
  const ours = await Promise.race(calls);
  expect(ours.status).toBe(503);
  expect((await bodyOf(ours)).error).toMatchObject({ code: "overloaded" });
  expect(Number(ours.headers.get("Retry-After"))).toBeGreaterThan(0);
  let answered = before;
  await until("the rest are answered", () => {
    const next = origin.calls[answered];
    if (next !== undefined) {
      answered++;
      next.whole("fine");
    }
    return answered - before === inFlightMax + waitingMax;
  });
  await Promise.all(calls);
});

test("the origin is told who goes first there: by the caller's tier, and by nothing that a caller says", async () => {
  for (const tier of ["high", "standard", "low"]) {
    const { key } = await storeKey(edge, { tenant: `of-tier-${tier}`, tier });
    const before = origin.calls.length;
    const headers = { "Ledge-Priority": "high" };
    const messages = [{ role: "user", content: `urgency of ${tier}` }];
    const answer = edge.post("/v1/chat/completions", key, { model: "tiny-chat", messages }, headers);
    await until("the origin has it", () => origin.calls.length > before);
    const call = origin.calls[before];
    call?.whole("fine");
    expect((await answer).status).toBe(200);
    expect(call?.priority).toBe({ high: "high", low: "low" }[tier]);
  }
});
