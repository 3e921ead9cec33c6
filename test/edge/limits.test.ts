import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, type OriginCall, startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { issueLimited, publishTenant, publishTerms } from "../support/tenancy.ts";

/** Limits over three gateways that share the meters, as three places of an edge do. */

const gateways = 3;
const path = "/v1/chat/completions";

let origin: ChatOrigin;
let edge: TestEdge;
let urls: readonly string[];

beforeAll(async () => {
  origin = await startChatOrigin();
  edge = await startEdge({ originUrl: origin.url, gateways });
  // A prompt of these tests is one token: what is limited is the output.
  await publishTerms(edge, {
    models: { "tiny-chat": { tokens_per_byte_max: 0.001 } },
    plans: { internal: { tier: "standard", key_limits: {} } },
  });
  const others = Array.from({ length: gateways - 1 }, (_, at) =>
    edge.miniflare.unsafeGetDirectURL(gatewayName(at + 1)),
  );
  urls = [edge.url, ...(await Promise.all(others)).map((url) => url.origin)];
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

/** A call of one of the gateways, whose answer the test gives itself. */
function chat(at: number, key: string, body: object = {}, signal?: AbortSignal): Promise<Response> {
  return fetch(urls[at % gateways] + path, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: "tiny-chat", messages: [{ role: "user", content: "hi" }], ...body }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function codesOf(answers: readonly Response[]): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const answer of answers) {
    const code = answer.status === 200 ? "ok" : (await bodyOf(answer)).error.code;
    if (answer.status === 200) await answer.body?.cancel();
    counted[code] = (counted[code] ?? 0) + 1;
  }
  return counted;
}

/** Begins a stream, and leaves it open. */
function beginStream(call: OriginCall): void {
  call.say("one");
}

describe("N concurrent calls over several gateways", () => {
  test("against a limit of 4 in flight admit exactly 4, and as many again when those have ended", async () => {
    const { key } = await issueLimited(edge, { in_flight: 4 });
    for (let round = 0; round < 2; round++) {
      const before = origin.calls.length;
      origin.onCall = beginStream;
      const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => chat(at, key, { stream: true })));
      const open = answers.filter(({ status }) => status === 200);
      expect(open).toHaveLength(4);
      expect(await codesOf(answers.filter(({ status }) => status !== 200))).toEqual({ too_many_in_flight: 36 });
      for (const call of origin.calls.slice(before)) call.end();
      await Promise.all(open.map((answer) => answer.text()));
      await until("all four places are free again", async () => {
        const [state] = await inFlightLeft(key);
        return state === 4;
      });
    }
  });

  test("of 80 tokens each against 100 a minute admit exactly 1", async () => {
    const { key } = await issueLimited(edge, { output_tokens_per_minute: 100 });
    origin.onCall = beginStream;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => chat(at, key, { stream: true, max_tokens: 80 })),
    );
    expect(await codesOf(answers)).toEqual({ ok: 1, tokens_limited: 49 });
  });

  test("against 20 requests a day admit exactly 20", async () => {
    const { key } = await issueLimited(edge, { requests_per_day: 20 });
    const answers = await Promise.all(Array.from({ length: 90 }, (_, at) => look(at, key)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
  });

  test("of two keys against their tenant's limit of 10 admit exactly 10, and a third tenant is untouched", async () => {
    await publishTenant(edge, "together", { limits: { requests_per_minute: 10 } });
    const keys = [await issueLimited(edge, {}, "together"), await issueLimited(edge, {}, "together")];
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => look(at, keys[at % 2]?.key ?? "")));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    const other = await issueLimited(edge, {}, "apart");
    expect((await look(0, other.key)).status).toBe(200);
  });
});

function look(at: number, key: string): Promise<Response> {
  return fetch(`${urls[at % gateways]}/v1/models`, { headers: { Authorization: `Bearer ${key}` } });
}

/** How many more calls may be in flight: as a call that is refused for its size hears it. */
async function inFlightLeft(key: string): Promise<readonly number[]> {
  const answer = await fetch(`${edge.url}/v1/models`, { headers: { Authorization: `Bearer ${key}` } });
  await answer.text();
  const left = /"in-flight";r=(\d+)/.exec(answer.headers.get("RateLimit") ?? "")?.[1];
  return left === undefined ? [] : [Number(left)];
}

describe("what a call held comes back", () => {
  test("when its caller leaves the stream", async () => {
    const { key } = await issueLimited(edge, { in_flight: 1, output_tokens_per_minute: 100 });
    for (let round = 0; round < 3; round++) {
      const leaving = new AbortController();
      let open: Response | undefined;
      await until("a stream has begun", async () => {
        origin.onCall = beginStream;
        open = await chat(round, key, { stream: true, max_tokens: 80 }, leaving.signal);
        return open.status === 200;
      });
      await open?.body?.getReader().read();
      expect((await chat(round + 1, key, { max_tokens: 80 })).status).toBe(429);
      const before = origin.calls.length;
      leaving.abort();
      // The engine's next word finds nobody.
      await until("the place is free", async () => {
        origin.calls.at(before - 1)?.say("more");
        origin.onCall = (call) => call.whole("said");
        const next = await chat(round + 2, key, { max_tokens: 80 });
        await next.text();
        return next.status === 200;
      });
    }
  });

  test("when the engine fails", async () => {
    const { key } = await issueLimited(edge, { in_flight: 1, output_tokens_per_minute: 100 });
    origin.onCall = (call) => call.fault(500, "upstream_failed");
    for (let round = 0; round < 4; round++) {
      const failed = await chat(round, key, { max_tokens: 80 });
      expect((await bodyOf(failed)).error.code).toBe("upstream_failed");
      await until("what it held is back", async () => (await chat(round + 1, key, { max_tokens: 80 })).status === 502);
    }
  });
});

describe("a refusal", () => {
  test("says when to come back, and whoever waits exactly that long is admitted", async () => {
    const { key } = await issueLimited(edge, { requests_per_second: 3 });
    let refused: Response | undefined;
    await until("one is refused", async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, (_, at) => look(at, key)));
      refused = answers.find(({ status }) => status === 429);
      return refused !== undefined;
    });
    const seconds = Number(refused?.headers.get("Retry-After"));
    expect(seconds).toBeGreaterThanOrEqual(1);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    expect((await look(1, key)).status).toBe(200);
  });

  test("of an input that the limits never cover is 413, and not to be retried", async () => {
    const { key } = await issueLimited(edge, { input_bytes: 50, output_tokens_per_minute: 100 });
    const long = await chat(0, key, { messages: [{ role: "user", content: "x".repeat(50) }] });
    expect([long.status, long.headers.get("Retry-After")]).toEqual([413, null]);
    expect((await bodyOf(long)).error.code).toBe("input_too_large");
  });
});

describe("what is said of limits", () => {
  test("is every one that applied", async () => {
    await publishTenant(edge, "limited", { limits: { requests_per_day: 50, in_flight: 7 } });
    const { key } = await issueLimited(edge, { requests_per_minute: 9, tokens_per_minute: 2_000 }, "limited");
    origin.onCall = (call) => call.whole("said");
    const answer = await chat(0, key, { max_tokens: 99 });
    expect(answer.headers.get("RateLimit-Policy")).toBe(
      '"requests";q=9;w=60, "tokens";q=2000;qu="tokens";w=60, "tenant-requests-day";q=50;w=86400, "tenant-in-flight";q=7;qu="concurrent-requests"',
    );
    expect(answer.headers.get("RateLimit")).toMatch(
      /^"requests";r=8;t=\d+, "tokens";r=1900;t=\d+, "tenant-requests-day";r=49;t=\d+, "tenant-in-flight";r=6$/,
    );
  });

  test.each(["stop", "allow"] as const)(
    "is how long an answer may be whose caller set no bound, and by which policy: %s",
    async (overrun) => {
      await publishTenant(edge, `overrun-${overrun}`, { overrun });
      const { key } = await issueLimited(edge, { output_tokens_per_minute: 300 }, `overrun-${overrun}`);
      origin.onCall = (call) => call.whole("said");
      const answer = await chat(0, key);
      expect(answer.headers.get("Ledge-Output-Limit")).toBe(`300; policy=${overrun}`);
      expect(origin.calls.at(-1)?.body.max_completion_tokens).toBe(overrun === "stop" ? 300 : undefined);
      await until("it is settled", async () => {
        const bound = await chat(0, key, { max_tokens: 7 });
        expect(bound.headers.get("Ledge-Output-Limit")).toBeNull();
        return bound.status === 200;
      });
      expect(origin.calls.at(-1)?.body).toMatchObject({ max_tokens: 7 });
    },
  );
});

test("a revoked key, in use at every gateway, is refused everywhere within five seconds", async () => {
  const { key, id } = await edge.issueKey({ tenant: "leaver" });
  const statuses = () => Promise.all(urls.map(async (_, at) => (await look(at, key)).status));
  expect(await statuses()).toEqual([200, 200, 200]);
  const revoked = await fetch(`${edge.url}/admin/v1/keys/${id}`, {
    method: "DELETE",
    headers: { Authorization: "Bearer an-operator's-key-for-tests" },
  });
  expect(revoked.ok).toBe(true);
  await until("every gateway refuses it", async () => (await statuses()).every((status) => status === 401));
});

test("a meter that is dead takes the limits from nobody, and gives them to nobody: each gateway holds them alone", async () => {
  const deadMeter = `
    export class Meter { ask() { throw new Error("dead"); } close() { throw new Error("dead"); } }
    export default { fetch() { throw new Error("dead"); } };`;
  const alone = await startEdge({ standIns: { meter: deadMeter } });
  try {
    const { key } = await issueLimited(alone, { requests_per_day: 5 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => alone.get("/v1/models", key)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
  } finally {
    await alone.close();
  }
});

test("a restart in the middle forgets neither requests, nor tokens, nor calls in flight", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "ledge-limits-"));
  try {
    const before = await startEdge({ originUrl: origin.url, dataDir });
    await publishTerms(before, { models: { "tiny-chat": { tokens_per_byte_max: 0.001 } } });
    const limits = { requests_per_day: 2, output_tokens_per_minute: 100, in_flight: 2 };
    const { key } = await issueLimited(before, limits);
    origin.onCall = beginStream;
    const body = { model: "tiny-chat", messages: [{ role: "user", content: "hi" }], stream: true, max_tokens: 60 };
    expect((await before.post(path, key, body)).status).toBe(200);
    await before.close();
    const after = await startEdge({ originUrl: origin.url, dataDir });
    const refused = await after.post(path, key, body);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([429, "tokens_limited"]);
    expect(refused.headers.get("RateLimit")).toMatch(/"in-flight";r=1/);
    expect((await after.get("/v1/models", key)).status).toBe(200);
    expect((await after.get("/v1/models", key)).status).toBe(429);
    await after.close();
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});
