import type { GatewayEnv } from "./env.ts";
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
  record: (x, endedMs) => recordCall(x, endedMs, x.trail.code),
});

export default { fetch } satisfies ExportedHandler<GatewayEnv>;
