import { type Fault, fail, ok, type Result } from "@ledge/contract";
import { requestIdOf } from "./accept/envelope.ts";
import type { Exchange } from "./app.ts";
import type { Trail } from "./exchange.ts";
import { type FoundRoute, type RouteContext, type RouteRow, routeFinder } from "./find-route.ts";
import { logRequest } from "./observe/log.ts";
import { sayFault, sayUnchanged, speak } from "./observe/speak.ts";
import type { Reply } from "./reply.ts";
import type { Runtime } from "./wire.ts";

/** What the gateway and the operator Worker share: a table of routes, wrapped in observe. */

/** A `Response` is another Worker of ours speaking: its headers are on, its line is logged. */
export type Answer = Result<Reply | Response>;
export type Handler<R = Runtime> = (x: Exchange<R>, c: RouteContext) => Promise<Answer> | Answer;
export type Route<R = Runtime> = readonly [
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "ALL",
  path: string,
  handler: Handler<R>,
];

/** What a Worker brings. */
export interface Served<E extends object, R> {
  readonly routes: readonly Route<R>[];
  /** What the isolate keeps between requests. */
  readonly runtimeOf: (env: E) => Result<R>;
  /** The error shape of the surface that a path belongs to. */
  readonly presentFault: (fault: Fault, path: string, requestId: string) => Reply;
  /** Whether a request is refused before anything is done for it. */
  readonly stop?: (x: Exchange<R>) => Promise<Result<never> | undefined> | undefined;
  /** Counts an exchange that is over; a stream counts itself when it ends. */
  readonly record?: (x: Exchange<R>, endedMs: number) => void;
}

interface Kept {
  readonly config: { readonly LOG: "all" | "failures" };
}

/** Builds the Worker's `fetch`: the handler of the path and method, or 405, or 404. */
export function serve<E extends object, R extends Kept>(worker: Served<E, R>) {
  const paths = new Set(worker.routes.map(([, path]) => path));
  const others = [...paths].map((path): RouteRow<Handler<R>> => ["ALL", path, () => fail("method_not_allowed")]);
  const find = routeFinder<Handler<R>>([...worker.routes, ...others]);
  return async (request: Request, env: E, ctx: ExecutionContext): Promise<Response> => {
    const route = find(request) ?? nowhere(request);
    const response = await observe(worker, { request, env, ctx, route });
    return request.method === "HEAD" ? new Response(null, response) : response;
  };
}

function nowhere({ url }: Request): FoundRoute<() => Answer> {
  const handler = () => fail("not_found");
  return { handler, pattern: "/*", path: new URL(url).pathname, context: { param: () => undefined } };
}

/** A request with what the runtime gives along. */
interface Arrived<E, R> {
  readonly request: Request;
  readonly env: E;
  readonly ctx: ExecutionContext;
  readonly route: FoundRoute<Handler<R>>;
}

/** observe: wraps every handler and speaks last, whatever happened. A throw is a bug: the caller learns only that. */
async function observe<E extends object, R extends Kept>(
  { runtimeOf, presentFault, stop, record }: Served<E, R>,
  { request, env, ctx, route }: Arrived<E, R>,
): Promise<Response> {
  const startedMs = Date.now();
  const requestId = requestIdOf(request);
  const trail: Trail = { timings: {} };
  const refuse = (fault: Fault) => {
    trail.code = fault.code;
    if (fault.cause !== undefined) trail.cause = [trail.cause, fault.cause].filter(Boolean).join("; ");
    return sayFault(presentFault(fault, route.path, requestId), fault);
  };
  const runtime = runtimeOf(env);
  const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
  const x = runtime.ok ? ok({ request, requestId, startedMs, runtime: runtime.value, trail, waitUntil }) : runtime;
  let reply: Reply;
  try {
    const stopped = x.ok ? await stop?.(x.value) : x;
    const answer = stopped ?? (x.ok ? await route.handler(x.value, route.context) : x);
    if (!answer.ok) reply = refuse(answer.fault);
    else if (answer.value instanceof Response) {
      if (x.ok) record?.(x.value, Date.now());
      return answer.value;
    } else reply = sayUnchanged(answer.value, request.headers.get("If-None-Match"), trail);
  } catch (error) {
    reply = refuse(
      fail("internal_error", { cause: error instanceof Error ? (error.stack ?? error.message) : String(error) }).fault,
    );
  }
  const endedMs = Date.now();
  const totalMs = endedMs - startedMs;
  if (x.ok && trail.streams === undefined) record?.(x.value, endedMs);
  const { status } = reply;
  if (status >= 400 || (x.ok && x.value.runtime.config.LOG === "all")) {
    logRequest({ requestId, method: request.method, route: route.pattern, status, totalMs }, trail);
  }
  return speak(reply, requestId, trail, totalMs);
}
