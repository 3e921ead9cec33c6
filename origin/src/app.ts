import { type Fault, type fail, headers } from "@ledge/contract";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { Deadline, timeLeft } from "./accept/deadline.ts";
import { priorityOf } from "./accept/urgency.ts";
import { callerCheck } from "./admit/caller.ts";
import { answerChat, answerCompletion } from "./answer/chat.ts";
import { answerInfer } from "./answer/infer.ts";
import { answerJournal } from "./answer/journal.ts";
import { answerLoad } from "./answer/load.ts";
import { answerModels } from "./answer/models.ts";
import { answerPredict } from "./answer/predict.ts";
import { problemResponse } from "./answer/problem.ts";
import { answerRepository } from "./answer/repository.ts";
import { answerWake } from "./answer/wake.ts";
import { clientClosed } from "./call-off.ts";
import type { Config } from "./config.ts";
import type { Registry } from "./engines/registry.ts";
import type { Repository } from "./engines/repository.ts";
import type { Journal } from "./observe/journal.ts";
import { type LineSink, RequestRecord } from "./observe/log.ts";
import type { OriginEnv } from "./request.ts";

export interface AppParts {
  readonly config: Pick<Config, "secret" | "bearer" | "bodyBytesMax" | "timeoutMs" | "timeoutMsMax">;
  readonly registry: Registry;
  /** Fires when running requests must end because the process does. */
  readonly shutdown: AbortSignal;
  readonly nowMs: () => number;
  readonly newId: () => string;
  readonly sink: LineSink;
  /** Absent: none is kept. */
  readonly journal?: Journal;
  /** Absent: nothing is loaded or unloaded while the origin runs. */
  readonly repository?: Repository;
}

const wakeRoute = "/v1/models/:model/wake";
const inferPath = "/v2/models/:model/versions/:version/infer";
const loadPath = "/v2/repository/models/:model/load";
const unloadPath = "/v2/repository/models/:model/unload";

/** The origin's pipeline: observe( accept( admit( engine ) ) ). */
export function createApp(parts: AppParts): Hono<OriginEnv> {
  const { registry } = parts;
  const app = new Hono<OriginEnv>();

  app.use(observe(parts));

  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", (context) => {
    const pending = registry.pending();
    return pending.length === 0 ? context.json({ status: "ready" }) : context.json({ status: "loading", pending }, 503);
  });

  const guard = guardOf(parts);
  app.use("/v1/*", guard);
  app.use("/v2/*", guard);

  app.get("/v1/models", answerModels);
  app.get("/v1/load", answerLoad);
  app.get("/v1/usage/journal", (context) => settle(context, answerJournal(context)));
  app.post("/v1/predict", async (context) => settle(context, await answerPredict(context)));
  app.post("/v1/chat/completions", async (context) => settle(context, await answerChat(context)));
  app.post("/v1/completions", async (context) => settle(context, await answerCompletion(context)));
  app.post(wakeRoute, (context) => settle(context, answerWake(context)));
  app.post(inferPath, async (context) => settle(context, await answerInfer(context)));
  app.post(loadPath, async (context) => settle(context, await answerRepository(context, "load")));
  app.post(unloadPath, async (context) => settle(context, await answerRepository(context, "unload")));
  for (const path of [
    "/v1/models",
    "/v1/load",
    "/v1/usage/journal",
    "/v1/predict",
    "/v1/chat/completions",
    "/v1/completions",
    wakeRoute,
    inferPath,
    loadPath,
    unloadPath,
    "/healthz",
    "/readyz",
  ]) {
    app.all(path, (context) => refuse(context, { code: "method_not_allowed" }));
  }
  app.notFound((context) => refuse(context, { code: "not_found" }));
  app.onError((error, context) => refuse(context, { code: "internal_error", cause: stackOf(error) }));
  return app;
}

/** Who calls, until when, and with what the stages behind work. */
function guardOf(parts: AppParts): MiddlewareHandler<OriginEnv> {
  const { config, registry } = parts;
  const allowed = callerCheck(config, parts.nowMs);
  return async (context, next) => {
    const caller = allowed(context.req.raw);
    if (!caller.ok) return refuse(context, caller.fault);
    context.set("bodySha256", caller.value);
    const nowMs = parts.nowMs();
    const left = timeLeft(context.req.raw.headers, config, nowMs);
    if (!left.ok) return refuse(context, left.fault);
    const priority = priorityOf(context.req.raw.headers.get(headers.priority), caller.value !== undefined);
    if (!priority.ok) return refuse(context, priority.fault);
    context.set("urgency", { priority: priority.value, deadlineMs: nowMs + left.value });
    const deadline = new Deadline(left.value, context.req.raw.signal, parts.shutdown);
    context.set("deadline", deadline);
    context.set("stage", {
      registry,
      bodyBytesMax: config.bodyBytesMax,
      nowMs: parts.nowMs,
      newId: parts.newId,
      journal: parts.journal,
      repository: parts.repository,
    });
    await next();
    if (!context.get("record").streaming) deadline.clear();
  };
}

/** Wraps everything and speaks last: a line for each request. A stream ends its own. */
function observe(parts: AppParts): MiddlewareHandler<OriginEnv> {
  return async (context, next) => {
    const requestId = requestIdOf(context.req.header(headers.requestId), parts.newId);
    const record = new RequestRecord({ requestId, method: context.req.method, path: context.req.path }, parts);
    context.set("record", record);
    await next();
    // Hono's own way would make another response of it, and with that a web stream of its body.
    context.res.headers.set(headers.requestId, requestId);
    if (!record.streaming) record.finish(record.facts.code === clientClosed ? 499 : context.res.status);
  };
}

function settle(context: Context<OriginEnv>, answer: Response | ReturnType<typeof fail>): Response {
  return answer instanceof Response ? answer : refuse(context, answer.fault);
}

function refuse(context: Context<OriginEnv>, fault: Fault): Response {
  const record = context.get("record");
  record.fault(fault);
  return problemResponse(fault, record.requestId);
}

/** The gateway's id where it is a plain token: it is echoed and logged. */
function requestIdOf(given: string | undefined, newId: () => string): string {
  return given !== undefined && /^[\w.:-]{1,128}$/.test(given) ? given : newId();
}

function stackOf(error: Error): string {
  return (error.stack ?? String(error)).slice(0, 2000);
}
