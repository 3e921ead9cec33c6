import { admitting, type Operation } from "./operation.ts";
import { description } from "./operator.ts";

const asking = [...admitting, "scope_denied", "address_denied", "tenant_suspended", "jobs_unavailable"] as const;

type Jobs = Pick<Operation, "method" | "path" | "id" | "summary" | "answers" | "errors" | "query" | "tells">;

/** Calls that nobody could answer when they came. Each caller sees its own. */
const own = (
  [
    {
      method: "get",
      path: "/v1/jobs",
      id: "listJobs",
      summary: "Your jobs, the newest first, without their answers. Of `limit` at most 100, 20 if it is not said.",
      query: ["after", "limit"],
      answers: { 200: { description: "The jobs.", schema: "Jobs" } },
      errors: [...asking, "invalid_request"],
    },
    {
      method: "get",
      path: "/v1/jobs/{job}",
      id: "showJob",
      summary: "One of your jobs, with its answer once it has one. `Retry-After` says when it may have.",
      answers: { 200: { description: "The job.", schema: "Job" } },
      errors: [...asking, "job_not_found"],
      tells: ["answer_too_large"],
    },
    {
      method: "delete",
      path: "/v1/jobs/{job}",
      id: "cancelJob",
      summary: "Do not run a job any more. One that is over stays what it is.",
      answers: { 200: { description: "The job.", schema: "Job" } },
      errors: [...asking, "job_not_found"],
    },
  ] satisfies readonly Jobs[]
).map((part): Operation => ({ surface: "Ledge", credential: "caller", ...part }));

export const jobOperations: readonly Operation[] = [...own, description("jobs")];

/** Of a call that may become a job. */
export const taken = {
  202: { description: "Nobody can answer now: it is taken as a job.", schema: "Job", whole: true },
} as const;
