import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import { JobRows, pieceBytes } from "./job-rows.ts";

let store: ReturnType<typeof sqlite>;
let rows: JobRows;

beforeEach(() => {
  store = sqlite();
  rows = new JobRows(store.sql);
});

function add(id: string, more: Partial<Parameters<JobRows["add"]>[0]> = {}, call = new Uint8Array(10)): void {
  const times = { created_ms: 0, expires_ms: 1_000, due_ms: 0 };
  rows.add({ id, subject: "key:a", path: "/v1/predict", request_id: "r", code: "overloaded", ...times, ...more }, call);
}

const ended = { status: "succeeded", code: null, endedMs: 5, dropMs: 100 } as const;

test("a call and its answer come back as they were laid down, however large", () => {
  const call = crypto.getRandomValues(new Uint8Array(65_536));
  add("job_1", {}, call);
  expect(rows.sealed({ job: "job_1", part: "call" })).toEqual(call);
  const answer = new Uint8Array(2 * pieceBytes + 17).map((_, at) => at % 251);
  rows.end("job_1", { ...ended, answer });
  expect(rows.sealed({ job: "job_1", part: "answer" })).toEqual(answer);
  expect(rows.sealed({ job: "job_1", part: "call" })).toHaveLength(0);
});

test("who waits longest is due first, what is not due or runs is not, and what was cut off is due again", () => {
  add("job_1", { due_ms: 30 });
  add("job_2", { due_ms: 10 });
  add("job_3", { due_ms: 99 });
  expect(rows.due(50, 9).map(({ id }) => id)).toEqual(["job_2", "job_1"]);
  rows.begin("job_2", 50);
  expect(rows.due(50, 9).map(({ id }) => id)).toEqual(["job_1"]);
  expect(rows.find("job_2")).toMatchObject({ status: "running", attempts: 1, started_ms: 50 });
  // As the object does when it comes back.
  expect(new JobRows(store.sql).restart(60)).toBe(true);
  expect(rows.due(60, 9).map(({ id }) => id)).toEqual(["job_1", "job_2"]);
});

test("what is over stays what it is: neither a late run nor a second end changes it", () => {
  add("job_1");
  rows.begin("job_1", 1);
  rows.end("job_1", { ...ended, status: "cancelled" });
  rows.putOff("job_1", "overloaded", 0, 9);
  rows.end("job_1", { ...ended, answer: new Uint8Array(3) });
  expect(rows.find("job_1")).toMatchObject({ status: "cancelled", code: null });
  expect(rows.sealed({ job: "job_1", part: "answer" })).toHaveLength(0);
});

test("those that wait past their time expire, one that runs is let finish, and all are dropped after a while", () => {
  add("job_1");
  add("job_2");
  rows.begin("job_2", 1);
  rows.expire(1_000, 1_100);
  expect([rows.find("job_1")?.status, rows.find("job_2")?.status]).toEqual(["expired", "running"]);
  expect(rows.nextTidyMs()).toBe(1_100);
  rows.drop(1_099);
  expect(rows.find("job_1")).toBeDefined();
  rows.drop(1_100);
  expect(rows.find("job_1")).toBeUndefined();
  expect(rows.sealed({ job: "job_1", part: "call" })).toHaveLength(0);
});

test("a page holds its caller's jobs alone, the newest first", () => {
  for (const id of ["job_1", "job_2", "job_3"]) add(id);
  add("job_4", { subject: "key:b" });
  expect(rows.page("key:a", "job_g", 2).map(({ id }) => id)).toEqual(["job_3", "job_2"]);
  expect(rows.page("key:a", "job_2", 2).map(({ id }) => id)).toEqual(["job_1"]);
});

test("what waits and what is kept is counted as it is, whatever happens, also by who comes back", () => {
  const id = fc.constantFrom("job_1", "job_2", "job_3", "job_4");
  const size = fc.integer({ min: 0, max: 50 });
  const event = fc.oneof(
    fc.record({ kind: fc.constant("add"), id, size }),
    fc.record({ kind: fc.constantFrom("begin", "putOff", "end", "restart"), id, size }),
    fc.record({ kind: fc.constantFrom("expire", "drop"), id, size }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      store = sqlite();
      rows = new JobRows(store.sql);
      for (const [at, one] of events.entries()) {
        if (one.kind === "add" && rows.find(one.id) === undefined)
          add(one.id, { due_ms: at, expires_ms: at + 10 }, new Uint8Array(one.size));
        if (one.kind === "begin") rows.begin(one.id, at);
        if (one.kind === "putOff") rows.putOff(one.id, "overloaded", 0, at + 2);
        if (one.kind === "end") rows.end(one.id, { ...ended, dropMs: at + 5, answer: new Uint8Array(one.size) });
        if (one.kind === "restart") rows.restart(at);
        if (one.kind === "expire") rows.expire(at, at + 5);
        if (one.kind === "drop") rows.drop(at);
      }
      const fresh = new JobRows(store.sql);
      expect([rows.waiting, rows.bytes]).toEqual([fresh.waiting, fresh.bytes]);
      const [pieces] = store.sql
        .exec<{ count: number }>("SELECT count(*) AS count FROM pieces WHERE job NOT IN (SELECT id FROM jobs)")
        .toArray();
      expect(pieces?.count).toBe(0);
    }),
  );
});
