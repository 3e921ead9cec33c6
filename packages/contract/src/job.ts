import * as z from "zod/mini";

/** A job, as its caller sees it: `/v1/jobs`. */

export const jobStatuses = ["queued", "running", "succeeded", "failed", "cancelled", "expired"] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const job = z.object({
  id: z.string(),
  object: z.literal("job"),
  status: z.enum(jobStatuses),
  /** What was asked, `/v1/chat/completions`. */
  path: z.string(),
  /** Of the request that became this job. */
  request_id: z.string(),
  created_at: z.string(),
  /** When it is given up if nobody has answered it. */
  expires_at: z.string(),
  /** Runs begun; each has the request id `<job>:<run>`. */
  attempts: z.int(),
  /** When the next run begins, of one that is queued. */
  next_run_at: z.optional(z.string()),
  /** When its last run began. */
  started_at: z.optional(z.string()),
  ended_at: z.optional(z.string()),
  /** Until when it can be looked at, of one that is over. */
  kept_until: z.optional(z.string()),
  /** Why nobody has answered it so far, or why it failed: the code and its sentence. */
  error: z.optional(z.object({ code: z.string(), message: z.string() })),
  /** What the call would have been answered; not in lists. */
  answer: z.optional(z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.unknown() })),
});
export type Job = z.infer<typeof job>;

export const jobs = z.object({
  object: z.literal("list"),
  /** The newest first. */
  data: z.array(job),
  /** To send as `after`; absent on the last page. */
  next: z.optional(z.string()),
});
