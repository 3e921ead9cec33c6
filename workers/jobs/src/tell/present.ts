import { errors, isErrorCode, type Job, type JobReply, retryAfterSeconds } from "@ledge/contract";
import type { JobRow } from "../keep/job-rows.ts";

/** A job's answer as it was kept: the body is JSON, as the gateway wrote it. */
export type KeptAnswer = JobReply;

const json = { "Content-Type": "application/json" };
const time = (ms: number) => new Date(ms).toISOString();

/** A job as its caller sees it, without its answer. */
export function jobOf(row: JobRow): Job {
  const { id, status, path, request_id, created_ms, expires_ms, due_ms, attempts } = row;
  return {
    id,
    object: "job",
    status,
    path,
    request_id,
    created_at: time(created_ms),
    expires_at: time(expires_ms),
    attempts,
    ...(status === "queued" ? { next_run_at: time(due_ms) } : {}),
    ...(row.started_ms === null ? {} : { started_at: time(row.started_ms) }),
    ...(row.ended_ms === null ? {} : { ended_at: time(row.ended_ms) }),
    ...(row.drop_ms === null ? {} : { kept_until: time(row.drop_ms) }),
    ...(row.code === null ? {} : { error: { code: row.code, message: sentenceOf(row.code) } }),
  };
}

function sentenceOf(code: string): string {
  return isErrorCode(code) ? errors[code].message : errors.internal_error.message;
}

/** 202 for a call that was taken (RFC 7240 §4.1). */
export function takenReply(row: JobRow, nowMs: number): JobReply {
  const { headers, body } = jobReply(row, undefined, nowMs);
  const said = { Location: `/v1/jobs/${row.id}`, "Preference-Applied": "respond-async" };
  return { status: 202, headers: { ...headers, ...said }, body };
}

/** `Retry-After` while it is worth asking again. */
export function jobReply(row: JobRow, answer: KeptAnswer | undefined, nowMs: number): JobReply {
  const job = JSON.stringify(jobOf(row));
  return { status: 200, headers: { ...json, ...lookAgain(row, nowMs) }, body: answer ? withAnswer(job, answer) : job };
}

/** The body is put in as it stands: read and written again, a number could become another. */
function withAnswer(job: string, { status, headers, body }: KeptAnswer): string {
  const said = JSON.stringify({ status, headers });
  return `${job.slice(0, -1)},"answer":${said.slice(0, -1)},"body":${body}}}`;
}

function lookAgain({ status, due_ms }: JobRow, nowMs: number): Readonly<Record<string, string>> {
  if (status !== "queued" && status !== "running") return {};
  const leftMs = status === "queued" ? due_ms - nowMs : 0;
  return { "Retry-After": String(retryAfterSeconds(Math.max(0, leftMs))) };
}

export function jobsReply(rows: readonly JobRow[], limit: number): JobReply {
  const next = rows.length > limit ? { next: rows[limit - 1]?.id } : {};
  const data = rows.slice(0, limit).map(jobOf);
  return { status: 200, headers: json, body: JSON.stringify({ object: "list", data, ...next }) };
}
