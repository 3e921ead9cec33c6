import type { JobRunner } from "@ledge/contract";
import type { TenantJobs } from "./tenant-jobs.ts";

/** The bindings of wrangler.jsonc, with what speaks RPC typed. `Env` is generated. */
export interface JobsEnv extends Omit<Env, "GATEWAY" | "TENANT_JOBS"> {
  readonly GATEWAY: JobRunner;
  readonly TENANT_JOBS: DurableObjectNamespace<TenantJobs>;
}
