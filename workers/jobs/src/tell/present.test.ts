import { job, parse } from "@ledge/contract";
import { expect, test } from "vitest";
import type { JobRow } from "../keep/job-rows.ts";
import { unstreamed } from "../run/unstreamed.ts";
import { jobReply, jobsReply } from "./present.ts";

const row: JobRow = {
  id: "job_1",
  subject: "key:a",
  status: "queued",
  path: "/v1/predict",
  request_id: "r",
  created_ms: 0,
  expires_ms: 90_000,
  due_ms: 4_200,
  started_ms: null,
  ended_ms: null,
  drop_ms: null,
  attempts: 0,
  breaks: 0,
  code: "overloaded",
  bytes: 1,
};

test("a job is as the description says, in every state, and does not tell whose it is", () => {
  const over = { status: "succeeded", started_ms: 5, ended_ms: 6, drop_ms: 7, code: null } as const;
  const answer = { status: 200, headers: { "ledge-tier": "edge" }, body: '{"a":1.0}' };
  for (const reply of [jobReply(row, undefined, 0), jobReply({ ...row, ...over }, answer, 0)]) {
    expect(parse(job, JSON.parse(reply.body)).ok).toBe(true);
    expect(reply.body).not.toContain("key:a");
  }
});

test("the answer is in the engine's own words, to the last digit", () => {
  const body = '{"score":1.0,"id":12345678901234567890}';
  expect(jobReply({ ...row, status: "succeeded" }, { status: 200, headers: {}, body }, 0).body).toContain(
    `"body":${body}}}`,
  );
});

test("Retry-After says when it is worth looking again, and nothing once it is over", () => {
  const retry = (more: Partial<JobRow>) => jobReply({ ...row, ...more }, undefined, 1_000).headers["Retry-After"];
  expect([retry({}), retry({ status: "running" }), retry({ status: "failed" })]).toEqual(["4", "1", undefined]);
});

test("a list says where it goes on, if it does", () => {
  const rows = ["job_3", "job_2", "job_1"].map((id) => ({ ...row, id }));
  expect(JSON.parse(jobsReply(rows, 2).body)).toMatchObject({
    data: [{ id: "job_3" }, { id: "job_2" }],
    next: "job_2",
  });
  expect(JSON.parse(jobsReply(rows, 3).body)).not.toHaveProperty("next");
});

test("a stream is asked for whole, where it goes on included, and every other call stays as it came", () => {
  const resume = { text: "Why," };
  const asked = { model: "m", stream: true, stream_options: { include_usage: true, resume } };
  expect(JSON.parse(unstreamed(JSON.stringify(asked)))).toEqual({ model: "m", stream_options: { resume } });
  expect(JSON.parse(unstreamed('{"model":"m","stream":true,"stream_options":null}'))).toEqual({ model: "m" });
  const plain = '{"model":"m", "seed":12345678901234567890,"stream":false}';
  expect(unstreamed(plain)).toBe(plain);
});
