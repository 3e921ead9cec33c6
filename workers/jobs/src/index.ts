import { WorkerEntrypoint } from "cloudflare:workers";
import {
  fail,
  type JobOwner,
  type JobReply,
  type JobsQuestion,
  type JobsService,
  type NewJob,
  type Result,
} from "@ledge/contract";
import type { JobsEnv } from "./env.ts";

/** The jobs Worker: calls that nobody could answer when they came, run later (docs/decisions/0017-jobs.md). Only the gateway reaches it. */

export { TenantJobs } from "./tenant-jobs.ts";

const limitDefault = 20;
const limitMax = 100;

export default class Jobs extends WorkerEntrypoint<JobsEnv> implements JobsService {
  override fetch(): Response {
    return new Response(null, { status: 404 });
  }

  async take(job: NewJob): Promise<Result<JobReply>> {
    return await answered(() => this.env.TENANT_JOBS.getByName(job.tenant).take(job));
  }

  async answer({ tenant, subject }: JobOwner, { method, id, search }: JobsQuestion): Promise<Result<JobReply>> {
    const jobs = this.env.TENANT_JOBS.getByName(tenant);
    if (id !== undefined) {
      return await answered(() =>
        method === "DELETE" ? jobs.cancel(tenant, subject, id) : jobs.show(tenant, subject, id),
      );
    }
    const query = new URLSearchParams(search);
    const limit = limitIn(query);
    if (limit === undefined) {
      return fail("invalid_request", {
        issues: [{ path: "limit", message: `a whole number from 1 to ${limitMax} is needed` }],
      });
    }
    return await answered(() => jobs.list(tenant, subject, query.get("after") ?? undefined, limit));
  }
}

function limitIn(query: URLSearchParams): number | undefined {
  const text = query.get("limit") ?? String(limitDefault);
  const limit = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= limitMax ? limit : undefined;
}

/** An object that is moved or restarted answers the next time. */
async function answered(ask: () => PromiseLike<Result<JobReply>>): Promise<Result<JobReply>> {
  try {
    return await ask();
  } catch (error) {
    return fail("jobs_unavailable", { cause: `the tenant's jobs: ${String(error)}` });
  }
}
