import type { GatewayEnv } from "./env.ts";
import { jobRuns } from "./job-runs.ts";
import { recordCall } from "./observe/record.ts";
import { presentFault, routes } from "./routes.ts";
import { serve } from "./serve.ts";
import { runtimeOf } from "./wire.ts";

/** The gateway: the hot path. What the operator asks it passes on (`pass-on.ts`). */

export { Flight } from "./platform/durable/flight.ts";
export { SealedAnswers } from "./platform/sealed-answers.ts";

const fetch = serve({
  routes,
  runtimeOf,
  presentFault,
  stop: (x) => x.runtime.gate.offences.stop(x.request),
  record: (x, endedMs) => {
    x.runtime.gate.offences.note(x.request, x.trail, x.waitUntil);
    recordCall(x, endedMs, x.trail.code);
  },
});

export const JobRuns = jobRuns(fetch);

export default { fetch } satisfies ExportedHandler<GatewayEnv>;
