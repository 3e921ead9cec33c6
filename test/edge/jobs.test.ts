import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { newKey } from "../support/directory.ts";
import { askJobs, chat, later, overJob, setDown, setUp, shownJob, takenJob, wordsOf } from "../support/jobs.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { totals } from "../support/ledgers.ts";

/** Calls that nobody could answer when they came, by an origin that the test takes down and brings up again. */

const dir = mkdtempSync(join(tmpdir(), "ledge-jobs-"));
let origin: ChatOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startChatOrigin();
  edge = await startEdge({
    originUrl: origin.url,
    dataDir: dir,
    gateway: { CACHE_STALE_WHILE_REVALIDATE_S: "0", JOB_BYTES_MAX: "20000" },
  });
  key = (await edge.issueKey()).key;
});
beforeEach(() => setDown(origin));
afterAll(async () => {
  await edge.close();
  await origin.close();
  rmSync(dir, { recursive: true, force: true });
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

describe("a job", () => {
  test("is there for its own key alone: not for another one of its tenant, nor for another tenant", async () => {
    const mine = await edge.issueKey({ tenant: "jobs-own" });
    const job = await takenJob(edge, mine.key);
    const others = [(await edge.issueKey({ tenant: "jobs-own" })).key, (await edge.issueKey({ tenant: "other" })).key];
    for (const other of others) {
      for (const method of ["GET", "DELETE"]) {
        const answer = await askJobs(edge, other, `/${job.id}`, method);
        expect([answer.status, (await bodyOf(answer)).code]).toEqual([404, "job_not_found"]);
      }
      expect(await (await askJobs(edge, other)).json()).toEqual({ object: "list", data: [] });
    }
    expect((await shownJob(edge, mine.key, job.id)).status).toMatch(/queued|running/);
    expect((await askJobs(edge, mine.key, `/${job.id}`, "DELETE")).status).toBe(200);
  });

  test("is listed with its caller's others, the newest first, page by page", async () => {
    const { key: mine } = await edge.issueKey({ tenant: "jobs-list" });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift((await takenJob(edge, mine)).id);
    const page = async (query: string) =>
      (await (await askJobs(edge, mine, query)).json()) as { data: { id: string }[]; next?: string };
    const first = await page("?limit=2");
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const rest = await page(`?limit=2&after=${first.next}`);
    expect([rest.data.map(({ id }) => id), rest.next]).toEqual([ids.slice(2), undefined]);
    const wrong = await askJobs(edge, mine, "?limit=0");
    expect([wrong.status, (await bodyOf(wrong)).code]).toEqual([400, "invalid_request"]);
    for (const id of ids) await askJobs(edge, mine, `/${id}`, "DELETE");
  });

  test("that was cancelled does not run, and cancelling it again is the same as once", async () => {
    const { key: mine } = await edge.issueKey({ tenant: "jobs-cancel" });
    const content = "never to be asked again";
    const job = await takenJob(edge, mine, { messages: [{ role: "user", content }] });
    for (let n = 0; n < 2; n++) {
      const answer = await askJobs(edge, mine, `/${job.id}`, "DELETE");
      expect([answer.status, ((await answer.json()) as { status: string }).status]).toEqual([200, "cancelled"]);
    }
    setUp(origin);
    const before = askedFor(content);
    // Whatever would be run before this one is over by then.
    const next = await takenAndDone(mine);
    expect([next, askedFor(content) - before]).toEqual(["succeeded", 0]);
    const { status, error, answer } = await shownJob(edge, mine, job.id);
    expect([status, error, answer]).toEqual(["cancelled", undefined, undefined]);
  });

  test("whose key was revoked since runs nothing, and fails", async () => {
    const { id, key: mine } = await edge.issueKey({ tenant: "jobs-revoked" });
    const content = "asked by one who may no more";
    const job = await takenJob(edge, mine, { messages: [{ role: "user", content }] });
    const revoked = await fetch(`${edge.url}/admin/v1/keys/${id}`, {
      method: "DELETE",
      headers: { Authorization: `Bearer ${adminKey}` },
    });
    expect(revoked.status).toBe(200);
    const ended = `${job.id} run [0-9]+: failed invalid_credentials`;
    await until("the job has failed", () => edge.logs.some((line) => new RegExp(ended).test(line)), 40_000);
    setUp(origin);
    const before = askedFor(content);
    expect(await takenAndDone(key)).toBe("succeeded");
    expect(askedFor(content)).toBe(before);
  });

  test("that is refused for a limit now is tried again, until it is let in", async () => {
    const { key: mine } = await newKey(edge, {
      tenant: "jobs-limited",
      limits: { in_flight: 1, requests_per_minute: 1_000_000 },
    });
    const job = await takenJob(edge, mine);
    let release = () => {};
    origin.onCall = (call) => {
      release = () => call.whole("first");
    };
    const held = chat(edge, mine, {}, { "Ledge-Timeout-Ms": "8000" });
    const limited = () => edge.logs.some((line) => line.includes(job.id) && line.includes("too_many_in_flight"));
    await until("a run was refused for the limit", limited, 40_000);
    setUp(origin);
    release();
    expect((await held).status).toBe(200);
    // Looking at it would be a call in flight too.
    const done = new RegExp(`${job.id} run [0-9]+: succeeded`);
    await until("it was let in", () => edge.logs.some((line) => done.test(line)), 40_000);
  });

  test("is paid for once, by the run that answered it", async () => {
    const { key: mine } = await edge.issueKey({ tenant: "jobs-paid" });
    const job = await takenJob(edge, mine);
    await until("a run was refused", async () => (await shownJob(edge, mine, job.id)).attempts > 0, 20_000);
    setUp(origin);
    const { attempts } = await overJob(edge, mine, job.id);
    await until(
      "every call is in the ledger",
      async () => (await totals(edge, "jobs-paid")).calls === attempts + 1,
      15_000,
    );
    expect(await totals(edge, "jobs-paid")).toMatchObject({ failures: attempts, input_tokens: 3, output_tokens: 2 });
  });

  test("is in the log by its id, at every run", async () => {
    const job = await takenJob(edge, key);
    setUp(origin);
    const { attempts } = await overJob(edge, key, job.id);
    const ids = edge.logs.flatMap((line) => /"requestId":"(job_[^"]+)"/.exec(line)?.[1] ?? []);
    for (let run = 1; run <= attempts; run++) expect(ids).toContain(`${job.id}:${run}`);
  });

  test("and its answer lie sealed: nothing that was asked or answered is on the disk in clear", async () => {
    const [asked, said] = ["a-question-nobody-may-read", "an-answer-nobody-may-read"];
    const job = await takenJob(edge, key, { messages: [{ role: "user", content: asked }] });
    expect(inFiles(job.id)).toBe(true);
    expect(inFiles(asked)).toBe(false);
    setUp(origin, said);
    expect(wordsOf(await overJob(edge, key, job.id))).toBe(said);
    expect([inFiles(asked), inFiles(said), inFiles(key)]).toEqual([false, false, false]);
  });
});

/** How often the origin was asked this. */
function askedFor(content: string): number {
  return origin.calls.filter(({ body }) => JSON.stringify(body).includes(content)).length;
}

async function takenAndDone(by: string): Promise<string> {
  setDown(origin);
  const { id } = await takenJob(edge, by);
  setUp(origin);
  return (await overJob(edge, by, id)).status;
}

/** Whether a text is in any file of the edge's state. */
function inFiles(text: string): boolean {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.some(({ name, parentPath }) => readFileSync(join(parentPath, name)).includes(text));
}
