import { fail, headers, type JobCall, type JobReply, type JobsService, type Result } from "@ledge/contract";
import { type AsyncPreference, asyncPreference, mayBecomeJob } from "@ledge/policy";
import { admit } from "./admit/admit.ts";
import type { Exchange } from "./app.ts";
import { inTime } from "./in-time.ts";
import type { Reply } from "./reply.ts";
import type { Answer, Handler } from "./serve.ts";

/** The last link before a refusal: a call that nobody can answer now is taken as a job (docs/decisions/0017-jobs.md). */

const offer = "respond-async";
const sentence = `Send 'Prefer: ${offer}' to have it done later, as a job.`;
const encoder = new TextEncoder();
/** The jobs Worker takes a call in a few milliseconds, or not. */
const jobsMsMax = 5_000;

/** The handler of a call that may become a job: for a caller that prefers that, and others are told. */
export function orJob(handler: Handler): Handler {
  return async (x, c) => {
    const { jobs } = x.runtime;
    const wish = jobs && asyncPreference(x.request.headers.get("Prefer"));
    const again = wish && x.request.clone();
    const answer = await handler(wish === undefined ? x : { ...x, request: patient(x.request, wish) }, c);
    const instead = answer.ok || jobs === undefined ? answer : await insteadOf(x, answer, jobs, again);
    if (again?.bodyUsed === false) x.waitUntil(again.body?.cancel() ?? Promise.resolve());
    return instead;
  };
}

/** The caller's jobs: one, all, or one that it no longer wants. A request like any other. */
export const jobs: Handler = async (x, c) => {
  const { jobs: service, gate } = x.runtime;
  if (service === undefined) return fail("not_found");
  const admitted = await admit(x.request, { inputBytes: 0 }, gate, x.trail, x.waitUntil);
  if (!admitted.ok) return admitted;
  x.trail.used = {};
  const { tenant, subject } = admitted.value;
  const { method, url } = x.request;
  const id = c.param("job");
  const question = { method, search: new URL(url).search, ...(id === undefined ? {} : { id }) };
  return await answerOf(service.answer({ tenant, subject }, question));
};

/** The request of a caller that waits no longer than it says (RFC 7240 §4.3). */
function patient(request: Request, { waitMs }: AsyncPreference): Request {
  const given = request.headers.get(headers.timeoutMs);
  if (waitMs === undefined || Number(given ?? Number.POSITIVE_INFINITY) <= waitMs) return request;
  // One that is no number is refused as ever.
  if (given !== null && !Number(given)) return request;
  const named = new Headers(request.headers);
  named.set(headers.timeoutMs, String(Math.max(1, waitMs)));
  return new Request(request, { headers: named });
}

async function insteadOf(
  x: Exchange,
  answer: Exclude<Answer, { readonly ok: true }>,
  service: JobsService,
  again: Request | undefined,
): Promise<Answer> {
  const { trail, request, runtime } = x;
  const { code, detail, retryAfterMs } = answer.fault;
  const { tenant, subject } = trail;
  const caller = mayBecomeJob(code) ? runtime.gate.identity.keptOf(request) : undefined;
  const tooLarge = Number(request.headers.get("Content-Length")) > runtime.config.JOB_BYTES_MAX;
  if (caller === undefined || tooLarge || tenant === undefined || subject === undefined) return answer;
  if (again === undefined) {
    trail.offer = offer;
    return fail(code, { ...answer.fault, detail: detail === undefined ? sentence : `${detail} ${sentence}` });
  }
  const body = await again.text();
  if (encoder.encode(body).byteLength > runtime.config.JOB_BYTES_MAX) return answer;
  const continent = request.cf?.continent as string | undefined;
  const path = new URL(request.url).pathname;
  const call: JobCall = { path, caller, headers: keptHeaders(request.headers), body, ...(continent && { continent }) };
  const more = retryAfterMs === undefined ? {} : { retryAfterMs };
  const taken = await answerOf(service.take({ tenant, subject, requestId: x.requestId, call, code, ...more }));
  // The call failed, which its version is judged by, and was answered all the same.
  trail.code = code;
  trail.cause = [answer.fault.cause, taken.ok ? taken.value.headers.Location : taken.fault.cause]
    .filter(Boolean)
    .join("; ");
  return taken.ok ? taken : answer;
}

async function answerOf(asked: Promise<Result<JobReply>>): Promise<Result<Reply>> {
  const answer = await inTime(jobsMsMax, asked);
  return answer ?? fail("jobs_unavailable", { cause: "the jobs Worker does not answer" });
}

/** Neither credentials, nor what was about this connection, this wait, or an answer that the caller has. */
const left =
  /^(?:(?:proxy-)?authorization|cookie|prefer|host|connection|expect|if-.*|accept-encoding|content-(?:length|encoding)|transfer-encoding|x-forwarded-.*|x-real-ip|cdn-loop|cf-(?!connecting-ip$).*|ledge-(?:timeout-ms|request-id))$/;

function keptHeaders(all: Headers): Readonly<Record<string, string>> {
  return Object.fromEntries([...all].filter(([name]) => !left.test(name)));
}
