import type { JobCall, JobReply } from "@ledge/contract";
import { beforeEach, describe, expect, test } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import { JobRows } from "../keep/job-rows.ts";
import { Seals } from "../keep/seals.ts";
import { Runs } from "./runs.ts";

const seals = new Seals("a-secret-of-at-least-thirty-two-characters", "acme", new Uint8Array(32));
const call: JobCall = { path: "/v1/predict", caller: { hash: "h" }, headers: { "x-mine": "1" }, body: "{}" };

let nowMs: number;
let rows: JobRows;
let asked: {
  readonly id: string;
  readonly call: JobCall;
  readonly answer: (reply: JobReply) => void;
  readonly die: () => void;
}[];
let runs: Runs;

function runsOf(rule: Partial<ConstructorParameters<typeof Runs>[0]["rule"]> = {}): Runs {
  return new Runs({
    rows,
    seals,
    gateway: {
      run: (id, made) =>
        new Promise((resolve, reject) =>
          asked.push({ id, call: made, answer: resolve, die: () => reject(new Error("gone")) }),
        ),
    },
    atomically: (work) => work(),
    rule: { runningMax: 2, runMsMax: 5_000, keptMs: 100, answerBytesMax: 1_000, ...rule },
    nowMs: () => nowMs,
    random: () => 0.5,
    say: () => undefined,
  });
}

beforeEach(() => {
  nowMs = 10_000;
  asked = [];
  rows = new JobRows(sqlite().sql);
  runs = runsOf();
});

async function add(id: string): Promise<void> {
  const times = { created_ms: 0, expires_ms: 1e9, due_ms: 0 };
  const row = { id, subject: "key:a", path: "/v1/predict", request_id: "r", code: "overloaded", ...times };
  rows.add(row, await seals.seal({ job: id, part: "call" }, JSON.stringify(call)));
}

/** Runs a job until the gateway is asked, and gives what it was asked. */
async function begun(at = 0) {
  runs.fill();
  return await until(at);
}

async function until(at: number) {
  for (let turn = 0; turn < 1_000 && asked[at] === undefined; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  const one = asked[at];
  if (one === undefined) throw new Error("the gateway was not asked");
  return one;
}

const reply = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): JobReply => ({
  status,
  headers,
  body: JSON.stringify(body),
});

describe("a run", () => {
  test("is the call as it came, by its own request id and with the time it may take", async () => {
    await add("job_1");
    const { id, call: made } = await begun();
    expect([id, made]).toEqual(["job_1:1", { ...call, headers: { "x-mine": "1", "Ledge-Timeout-Ms": "5000" } }]);
  });

  test("that is answered ends the job, with what is said of the answer and nothing of the exchange", async () => {
    await add("job_1");
    const headers = { "ledge-model": "m@1", date: "now", "set-cookie": "no", "content-type": "application/json" };
    (await begun()).answer(reply(200, { said: true }, headers));
    await runs.change(undefined);
    expect(rows.find("job_1")).toMatchObject({ status: "succeeded", code: null, drop_ms: 10_100 });
    const place = { job: "job_1", part: "answer" } as const;
    const kept = JSON.parse((await seals.open(place, rows.sealed(place))) ?? "");
    const said = { "ledge-model": "m@1", "content-type": "application/json" };
    expect(kept).toEqual({ status: 200, headers: said, body: '{"said":true}' });
  });

  test.each([
    [429, "rate_limited"],
    [503, "origin_unavailable"],
    [504, "deadline_exceeded"],
  ])("that is refused for now, with %i, is tried again, not before Retry-After", async (status, code) => {
    await add("job_1");
    (await begun()).answer(reply(status, { error: { code } }, { "retry-after": "60" }));
    await runs.change(undefined);
    expect(rows.find("job_1")).toMatchObject({ status: "queued", code, due_ms: 70_000, attempts: 1 });
    nowMs = 69_999;
    runs.fill();
    expect(runs.size).toBe(0);
    nowMs = 70_000;
    expect((await begun(1)).id).toBe("job_1:2");
  });

  test.each([
    [400, "invalid_request"],
    [401, "expired_credentials"],
    [403, "tenant_suspended"],
    [404, "model_not_found"],
  ])("that is refused for good, with %i %s, ends the job at once, and keeps the refusal", async (status, code) => {
    await add("job_1");
    (await begun()).answer(reply(status, { code }));
    await runs.change(undefined);
    expect(rows.find("job_1")).toMatchObject({ status: "failed", code });
    expect(rows.sealed({ job: "job_1", part: "answer" }).length).toBeGreaterThan(0);
  });

  test("that the gateway dies at is tried again", async () => {
    await add("job_1");
    (await begun()).die();
    await runs.change(undefined);
    expect(rows.find("job_1")).toMatchObject({ status: "queued", code: "jobs_unavailable", breaks: 0 });
  });

  test("whose answer is larger than is kept fails with that, and keeps nothing of it", async () => {
    runs = runsOf({ answerBytesMax: 20 });
    await add("job_1");
    (await begun()).answer(reply(200, { long: "x".repeat(100) }));
    await runs.change(undefined);
    expect(rows.find("job_1")).toMatchObject({ status: "failed", code: "answer_too_large" });
    expect(rows.sealed({ job: "job_1", part: "answer" })).toHaveLength(0);
  });

  test("of a job that was cancelled meanwhile changes nothing any more", async () => {
    await add("job_1");
    const { answer } = await begun();
    rows.end("job_1", { status: "cancelled", code: null, endedMs: nowMs, dropMs: 1e9 });
    answer(reply(200, {}));
    await runs.change(undefined);
    expect(rows.find("job_1")).toMatchObject({ status: "cancelled", drop_ms: 1e9 });
    expect(rows.sealed({ job: "job_1", part: "answer" })).toHaveLength(0);
  });
});

test("no more runs at once than may, and the next begins when one is over", async () => {
  for (const id of ["job_1", "job_2", "job_3"]) await add(id);
  const { answer } = await begun();
  await until(1);
  runs.fill();
  expect([runs.size, rows.find("job_3")?.status]).toEqual([2, "queued"]);
  answer(reply(200, {}));
  await runs.change(undefined);
  expect((await begun(2)).id).toBe("job_3:1");
});

test("waiting for a change ends at once when something new is there to do", async () => {
  await add("job_1");
  await begun();
  const changed = runs.change(undefined);
  runs.stir();
  await changed;
  expect(runs.size).toBe(1);
});
