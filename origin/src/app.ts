import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { fail, headers, ok, type Result } from "@ledge/contract";
import { Deadline, Running, timeLeft } from "./accept/deadline.ts";
import { priorityOf } from "./accept/urgency.ts";
import { callerCheck } from "./admit/caller.ts";
import { problemAnswer } from "./answer/problem.ts";
import { sendAnswer } from "./answer/send.ts";
import { clientClosed } from "./call-off.ts";
import type { Config } from "./config.ts";
import type { Registry } from "./engines/registry.ts";
import type { Repository } from "./engines/repository.ts";
import type { Journal } from "./observe/journal.ts";
import { type LineSink, RequestRecord } from "./observe/log.ts";
import { headerOf, jsonAnswer, type OriginCall, type Outcome, type Stage, targetOf } from "./request.ts";
import { routeOf } from "./routes.ts";

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

interface Wires {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly record: RequestRecord;
}

/** The origin's pipeline: observe( accept( admit( engine ) ) ). A line for each request; a stream ends its own. */
export function createApp(parts: AppParts): RequestListener {
  const guard = guardOf(parts);
  return async (incoming, outgoing) => {
    const requestId = requestIdOf(headerOf(incoming, headers.requestId), parts.newId);
    const target = targetOf(incoming);
    const query = target.indexOf("?");
    const path = query < 0 ? target : target.slice(0, query);
    const method = incoming.method ?? "";
    const record = new RequestRecord({ requestId, method, path }, parts);
    const outcome = await outcomeOf({ incoming, outgoing, record }, path, parts, guard);
    if ("streaming" in outcome) return;
    if (!outcome.ok) record.fault(outcome.fault);
    const answer = outcome.ok ? outcome : problemAnswer(outcome.fault, requestId);
    sendAnswer(incoming, outgoing, requestId, answer);
    record.finish(record.facts.code === clientClosed ? 499 : answer.status);
  };
}

type Guard = (wires: Wires, params: readonly string[]) => Result<OriginCall>;

async function outcomeOf(wires: Wires, path: string, { registry }: AppParts, guard: Guard): Promise<Outcome> {
  const method = wires.incoming.method === "HEAD" ? "GET" : wires.incoming.method;
  const health = path === "/healthz" || path === "/readyz";
  if (health) return method === "GET" ? healthOf(path, registry) : fail("method_not_allowed");
  if (!/^\/v[12](?:\/|$)/.test(path)) return fail("not_found");
  let deadline: Deadline | undefined;
  let streaming = false;
  try {
    const found = routeOf(path);
    const call = guard(wires, found?.params ?? []);
    if (!call.ok) return call;
    ({ deadline } = call.value);
    if (found === undefined) return fail("not_found");
    if (found.route.method !== method) return fail("method_not_allowed");
    const outcome = await found.route.handler(call.value);
    streaming = "streaming" in outcome;
    return outcome;
  } catch (error) {
    return fail("internal_error", { cause: stackOf(error) });
  } finally {
    if (!streaming) deadline?.clear();
  }
}

function healthOf(path: string, registry: Registry): Outcome {
  const pending = path === "/healthz" ? [] : registry.pending();
  if (pending.length > 0) return jsonAnswer({ status: "loading", pending }, {}, 503);
  return jsonAnswer({ status: path === "/healthz" ? "ok" : "ready" });
}

/** Who calls, until when, and with what the stages behind work. */
function guardOf(parts: AppParts): Guard {
  const { config, registry, nowMs, newId, journal, repository } = parts;
  const allowed = callerCheck(config, nowMs);
  const stage: Stage = { registry, bodyBytesMax: config.bodyBytesMax, nowMs, newId, journal, repository };
  const running = new Running();
  parts.shutdown.addEventListener("abort", () => running.drain());
  return ({ incoming, outgoing, record }, params) => {
    const caller = allowed(incoming);
    if (!caller.ok) return caller;
    const startMs = nowMs();
    const left = timeLeft((name) => headerOf(incoming, name), config, startMs);
    if (!left.ok) return left;
    const priority = priorityOf(headerOf(incoming, headers.priority), caller.value !== undefined);
    if (!priority.ok) return priority;
    const urgency = { priority: priority.value, deadlineMs: startMs + left.value };
    const deadline = new Deadline(left.value, running);
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) deadline.callOff("disconnected");
    });
    return ok({ incoming, outgoing, params, record, deadline, urgency, bodySha256: caller.value, stage });
  };
}

/** The gateway's id where it is a plain token: it is echoed and logged. */
function requestIdOf(given: string | null, newId: () => string): string {
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : newId();
}

function stackOf(error: unknown): string {
  return (error instanceof Error ? (error.stack ?? String(error)) : String(error)).slice(0, 2000);
}
