import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { newKey } from "../support/directory.ts";
import { askJobs, chat, overJob, setDown, setUp, shownJob, takenJob, wordsOf } from "../support/jobs.ts";
import { keptFiles } from "../support/kept-files.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { totals } from "../support/ledgers.ts";

/** What becomes of calls that nobody could answer when they came, by an origin that the test takes down and brings up again. */

const dir = mkdtempSync(join(tmpdir(), "ledge-jobs-"));
let origin: ChatOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startChatOrigin();
  edge = await startEdge({
    originUrl: origin.url,
    dataDir: dir,
  });
  key = (await edge.issueKey()).key;
});
beforeEach(() => setDown(origin));
afterAll(async () => {
  await edge.close();
  await origin.close();
  rmSync(dir, { recursive: true, force: true });
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
  return keptFiles(dir).some((bytes) => bytes.includes(text));
}
