import type { VerifiedToken } from "./identity.ts";
import type { Result } from "./result.ts";

/** Between the gateway and the jobs Worker, over RPC. A throw means that the other cannot be reached. */

/** What is kept of who asked: never what it showed. `hash` names a key or a certificate in KV. */
export type JobCaller =
  | { readonly hash: string }
  | { readonly token: VerifiedToken & { readonly expiresAtMs: number } };

/** A call, to be made again as it came. */
export interface JobCall {
  readonly path: string;
  readonly caller: JobCaller;
  /** Without credentials, and without what was about the connection or the wait. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  /** Where the caller was, as Cloudflare names it. */
  readonly continent?: string;
}

/** Whose a job is. `subject` is the caller itself: others of its tenant see nothing of it. */
export interface JobOwner {
  readonly tenant: string;
  readonly subject: string;
}

export interface NewJob extends JobOwner {
  readonly requestId: string;
  readonly call: JobCall;
  /** Why nobody could answer, and what that said of coming back. */
  readonly code: string;
  readonly retryAfterMs?: number;
}

/** An answer to a caller, of JSON. */
export interface JobReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What of a request is about jobs: `GET` or `DELETE`, and what comes after `/v1/jobs`. */
export interface JobsQuestion {
  readonly method: string;
  readonly id?: string;
  readonly search: string;
}

/** The jobs Worker, for the gateway only. */
export interface JobsService {
  /** Takes a call as a job. Errors: `jobs_unavailable`, also when there is no room. */
  take(job: NewJob): Promise<Result<JobReply>>;
  /** Errors: `job_not_found`, `invalid_request`, `jobs_unavailable`. */
  answer(owner: JobOwner, question: JobsQuestion): Promise<Result<JobReply>>;
}

/** The gateway's entrypoint for the jobs Worker only. */
export interface JobRunner {
  /** Makes the call, as its caller would; the answer is whatever that would have got. */
  run(requestId: string, call: JobCall): Promise<JobReply>;
}
