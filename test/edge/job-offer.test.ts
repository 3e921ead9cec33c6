import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageManifest } from "@ledge/contract";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { registerPackage } from "../../scripts/local/packages.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { chat, later, overJob, setDown, setUp, shownJob, takenJob, wordsOf } from "../support/jobs.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { deskOf } from "../support/registry.ts";

/** Which calls are taken as jobs, and what comes before that, by an origin that the test takes down and brings up again. */

let origin: ChatOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startChatOrigin();
  edge = await startEdge({
    originUrl: origin.url,
    gateway: {
      CACHE_STALE_WHILE_REVALIDATE_S: "0",
      JOB_BYTES_MAX: "20000",
      FALLBACKS: JSON.stringify({ "big-chat": ["tiny-chat"] }),
    },
  });
  const folder = join(repoRoot, "models", "tiny-chat", "1");
  const manifest = packageManifest.parse(JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
  const files = (manifest.files ?? []).filter(({ path }) => path !== manifest.file.path);
  await registerPackage(deskOf(edge), { ...manifest, name: "big-chat", files }, (path) =>
    readFileSync(join(folder, path)),
  );
  key = (await edge.issueKey()).key;
});
beforeEach(() => setDown(origin));
afterAll(async () => {
  await edge.close();
  await origin.close();
});

describe("a call that no origin can answer", () => {
  test("is taken as a job when its caller prefers that, and is answered once an origin is back", async () => {
    const answer = await chat(edge, key);
    const job = (await answer.clone().json()) as { id: string };
    expect([answer.status, answer.headers.get("Preference-Applied")]).toEqual([202, "respond-async"]);
    expect(answer.headers.get("Location")).toBe(`/v1/jobs/${job.id}`);
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(job).toMatchObject({
      object: "job",
      status: "queued",
      path: "/v1/chat/completions",
      request_id: answer.headers.get("Ledge-Request-Id"),
      attempts: 0,
      error: { code: "overloaded" },
    });
    await until("a run was refused", async () => (await shownJob(edge, key, job.id)).attempts > 0, 20_000);
    setUp(origin);
    const over = await overJob(edge, key, job.id);
    expect([over.status, over.answer?.status, wordsOf(over)]).toEqual(["succeeded", 200, "well rested"]);
    expect(over.error).toBeUndefined();
    expect(over.answer?.headers).toMatchObject({
      "ledge-model": "tiny-chat@1",
      "ledge-tier": "origin",
      "ledge-request-id": `${job.id}:${over.attempts}`,
    });
  });

  test("is refused as ever for a caller that did not ask for a job, and the refusal says how to", async () => {
    const answer = await chat(edge, key, {}, {});
    const { error } = await bodyOf(answer);
    expect([answer.status, error.code, answer.headers.get("Ledge-Job-Offer")]).toEqual([
      503,
      "overloaded",
      "respond-async",
    ]);
    expect(error.message).toContain("Send 'Prefer: respond-async'");
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
  });

  test("and is larger than a job may be is neither taken nor offered to be", async () => {
    const messages = [{ role: "user", content: "x".repeat(20_000) }];
    for (const headers of [later, {}]) {
      const answer = await chat(edge, key, { messages }, headers);
      expect([answer.status, answer.headers.get("Ledge-Job-Offer")]).toEqual([503, null]);
      expect((await bodyOf(answer)).error.message).not.toContain("Prefer");
    }
  });

  test("and is larger than a job may be in bytes, whose number it does not say, is not taken", async () => {
    const messages = [{ role: "user", content: "ö".repeat(10_000) }];
    const answer = await fetch(`${edge.url}/v1/chat/completions`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...later },
      body: new Blob([JSON.stringify({ model: "tiny-chat", messages })]).stream(),
      duplex: "half",
    });
    expect(answer.status).toBe(503);
  });

  test("within the time that its caller waits is taken as a job then, not at its deadline", async () => {
    origin.onCall = () => undefined;
    const job = await takenJob(edge, key, {}, { Prefer: "respond-async, wait=1" });
    expect(job.error?.code).toBe("deadline_exceeded");
    setUp(origin);
    expect((await overJob(edge, key, job.id)).status).toBe("succeeded");
  });

  test("and asked for a stream has its whole answer as a job", async () => {
    const job = await takenJob(edge, key, { stream: true, stream_options: { include_usage: true } });
    setUp(origin);
    expect(wordsOf(await overJob(edge, key, job.id))).toBe("well rested");
    expect(origin.calls.at(-1)?.body).not.toHaveProperty("stream_options");
    expect(origin.calls.at(-1)?.body.stream).not.toBe(true);
  });

  test("is taken for the openai client, which gets the job and then its answer", async () => {
    const openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0 });
    const { data, response } = await openai.chat.completions
      .create({ model: "tiny-chat", messages: [{ role: "user", content: "hi" }] }, { headers: later })
      .withResponse();
    expect([response.status, response.headers.get("Location")]).toEqual([202, `/v1/jobs/${data.id}`]);
    setUp(origin);
    await overJob(edge, key, data.id);
    const job = await openai.get<{ readonly answer: { readonly body: OpenAI.ChatCompletion } }>(`/jobs/${data.id}`);
    expect(job.answer.body.choices[0]?.message.content).toBe("well rested");
  });
});

describe("a call that can be answered", () => {
  test("is, whether its caller prefers a job to a refusal or not", async () => {
    setUp(origin);
    const answer = await chat(edge, key);
    expect([answer.status, answer.headers.get("Preference-Applied")]).toEqual([200, null]);
    expect((await bodyOf(answer)).choices[0]?.message.content).toBe("well rested");
  });

  test("by a model in the place of its own has that, and only one that neither answers becomes a job", async () => {
    const asked = { model: "big-chat" };
    origin.onCall = (call) =>
      /^big/.test(String(call.body.model)) ? call.fault(503, "overloaded", 1) : call.whole("ok");
    const answer = await chat(edge, key, asked);
    const said = ["Ledge-Model", "Ledge-Fallback"].map((name) => answer.headers.get(name));
    expect([answer.status, ...said]).toEqual([200, "tiny-chat@1", "for=big-chat@1; code=overloaded"]);
    setDown(origin);
    await takenJob(edge, key, asked);
  });

  test("by a stale kept answer has that, and only one that nothing is kept for becomes a job", async () => {
    setUp(origin);
    const brief = { ...later, "Ledge-Cache-Ttl": "1" };
    const asked = { messages: [{ role: "user", content: "keep this" }], temperature: 0 };
    expect((await chat(edge, key, asked, brief)).status).toBe(200);
    setDown(origin);
    await until("the kept answer is stale", async () => {
      const answer = await chat(edge, key, asked, brief);
      expect(answer.status).toBe(200);
      return Number(answer.headers.get("Age")) >= 2;
    });
    await takenJob(edge, key, { ...asked, seed: 5 }, brief);
  });

  test.each([
    ["is malformed", { messages: [] }, 400],
    ["asks for a model that there is not", { model: "gone" }, 404],
  ])("by nobody at any time, as it %s, is never a job", async (_what, more, status) => {
    const answer = await chat(edge, key, more);
    expect([answer.status, answer.headers.get("Ledge-Job-Offer")]).toEqual([status, null]);
  });

  test("for nobody, as its credentials are wrong, is never a job", async () => {
    expect((await chat(edge, `ledge_${"x".repeat(43)}`)).status).toBe(401);
  });
});
