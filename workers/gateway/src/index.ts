import { type Fault, fail } from "@ledge/contract";
import { routePath } from "hono/route";
import { requestIdOf } from "./accept/envelope.ts";
import type { GatewayEnv } from "./env.ts";
import type { Trail } from "./exchange.ts";
import { logRequest } from "./observe/log.ts";
import { recordCall } from "./observe/record.ts";
import { sayFault, speak } from "./observe/speak.ts";
import type { Reply } from "./reply.ts";
import { presentFault, route } from "./routes.ts";
import { runtimeOf } from "./wire.ts";

export { HotList } from "./platform/durable/hot-list.ts";
export { RateLimiter } from "./platform/durable/rate-limiter.ts";
export { Registry } from "./platform/durable/registry.ts";
export { SemanticIndex } from "./platform/durable/semantic-index.ts";
export { Tally } from "./platform/durable/tally.ts";

/** observe: wraps every handler and speaks last, whatever happened. A throw is a bug: the caller learns only that. */
const router = route(async (c, handler) => {
  const request = c.req.raw;
  const startedMs = Date.now();
  const requestId = requestIdOf(request);
  const trail: Trail = { timings: {} };
  const refuse = (fault: Fault) => {
    trail.code = fault.code;
    if (fault.cause !== undefined) trail.cause = [trail.cause, fault.cause].filter(Boolean).join("; ");
    return sayFault(presentFault(fault, c.req.path, requestId), fault);
  };
  const runtime = runtimeOf(c.env);
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  let reply: Reply;
  try {
    const answer = runtime.ok
      ? await handler({ request, requestId, startedMs, runtime: runtime.value, trail, waitUntil }, c)
      : runtime;
    reply = answer.ok ? answer.value : refuse(answer.fault);
  } catch (error) {
    reply = refuse(
      fail("internal_error", { cause: error instanceof Error ? (error.stack ?? error.message) : String(error) }).fault,
    );
  }
  const endedMs = Date.now();
  const totalMs = endedMs - startedMs;
  if (runtime.ok && trail.streams === undefined) {
    recordCall({ startedMs, trail, runtime: runtime.value, waitUntil }, endedMs, trail.code);
  }
  const { status } = reply;
  if (status >= 400 || (runtime.ok && runtime.value.config.LOG === "all")) {
    logRequest({ requestId, method: request.method, route: routePath(c), status, totalMs }, trail);
  }
  return speak(reply, requestId, trail, totalMs);
});

export default {
  fetch: (request, env, ctx) => router.fetch(request, env, ctx),
} satisfies ExportedHandler<GatewayEnv>;
