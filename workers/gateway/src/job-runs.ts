import { WorkerEntrypoint } from "cloudflare:workers";
import { headers, type JobCall, type JobReply, type JobRunner } from "@ledge/contract";
import type { GatewayEnv } from "./env.ts";
import { runtimeOf } from "./wire.ts";

type Fetch = (request: Request, env: GatewayEnv, ctx: ExecutionContext) => Promise<Response>;

/** The entrypoint that only the jobs Worker is bound to: a job is run as the call that it was, by the gateway's own `fetch`. */
export function jobRuns(fetch: Fetch) {
  return class extends WorkerEntrypoint<GatewayEnv> implements JobRunner {
    async run(requestId: string, { path, caller, headers: kept, body, continent }: JobCall): Promise<JobReply> {
      const request = new Request(`https://jobs.ledge${path}`, {
        method: "POST",
        headers: { ...kept, [headers.requestId]: requestId },
        body,
        ...(continent && { cf: { continent } }),
      });
      const runtime = runtimeOf(this.env);
      if (runtime.ok) runtime.value.gate.identity.vouch(request, caller);
      const answer = await fetch(request, this.env, this.ctx);
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
    }
  };
}
