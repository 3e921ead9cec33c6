import { canonicalJson, ok, type PredictAnswer, type Result } from "@ledge/contract";
import { type AnswerIdentity, type ArmRef, agree, copiesToShadow, copyTallyOf, workOf } from "@ledge/policy";
import { readJson } from "./accept/body.ts";
import { readEnvelope } from "./accept/envelope.ts";
import { openAiError } from "./accept/openai.ts";
import { admit } from "./admit/admit.ts";
import { assign } from "./assign/assign.ts";
import { forwarded } from "./cache/answers.ts";
import { type ChatRecord, ChatRecorder, recordOf, replayStream, replayWhole, sse } from "./dispatch/chat-record.ts";
import { relayEvents } from "./dispatch/chat-stream.ts";
import { classify } from "./dispatch/classify.ts";
import type { Journey } from "./dispatch/ports.ts";
import type {
  Call,
  ChatCall,
  Classification,
  ClassifyCall,
  DeployedModel,
  Envelope,
  Principal,
  Trail,
} from "./exchange.ts";
import { recordCall } from "./observe/record.ts";
import { eventStreamReply, jsonText, type Reply } from "./reply.ts";
import type { Runtime } from "./wire.ts";

/**
 * The way of a request: accept → admit → assign → cache → dispatch. `routes.ts` wraps it in observe.
 * This file states the order; each stage decides one question and knows none of the others.
 */

/** One request on its way. */
export interface Exchange {
  readonly request: Request;
  readonly requestId: string;
  readonly startedMs: number;
  readonly runtime: Runtime;
  readonly trail: Trail;
  /** Keeps the isolate alive for work that the caller need not wait for. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface Entered<C extends Call> {
  readonly call: C;
  readonly envelope: Envelope;
  readonly principal: Principal;
  readonly model: DeployedModel;
  /** The shadow version that gets a copy of this call. */
  readonly shadow?: { readonly model: DeployedModel; readonly arm: ArmRef };
}

/** accept → admit → assign: everything up to knowing who asks which model for what. `read` is the surface's part. */
export async function enter<C extends Call, T>(
  x: Exchange,
  read: (body: unknown) => Result<T>,
  callOf: (accepted: T) => C,
): Promise<Result<Entered<C> & { readonly accepted: T }>> {
  const { config, identity, limit, catalog } = x.runtime;
  const rule = { defaultMs: config.TIMEOUT_MS_DEFAULT, maxMs: config.TIMEOUT_MS_MAX };
  const envelope = readEnvelope(x.request, x.requestId, x.startedMs, rule);
  if (!envelope.ok) return envelope;
  const body = await readJson(x.request, config.BODY_BYTES_MAX);
  if (!body.ok) return body;
  const accepted = read(body.value);
  if (!accepted.ok) return accepted;
  const call = callOf(accepted.value);
  const admission = await admit(x.request, identity, limit, x.trail, x.waitUntil);
  if (!admission.ok) return admission;
  const { principal } = admission.value;
  const stickyKey = envelope.value.stickyKey ?? principal.subject;
  const view = await catalog.view(x.waitUntil);
  const assigned = assign(view, call.model, { task: call.task, stickyKey });
  if (!assigned.ok) return assigned;
  const { model, arm } = assigned.value;
  x.trail.model = model;
  if (arm !== undefined) x.trail.arm = arm;
  const shadow = arm && shadowOf(arm, x.requestId, view.models.get(model.name)?.callable);
  return ok({
    accepted: accepted.value,
    call,
    envelope: envelope.value,
    principal,
    model,
    ...(shadow === undefined ? {} : { shadow }),
  });
}

function shadowOf(
  { rollout }: ArmRef,
  requestId: string,
  callable: ReadonlyMap<string, DeployedModel> | undefined,
): Entered<Call>["shadow"] {
  const version = rollout.kind === "shadow" && copiesToShadow(rollout, requestId) ? rollout.arms[1].version : undefined;
  const model = version === undefined ? undefined : callable?.get(version);
  return version === undefined || model === undefined ? undefined : { model, arm: { rollout, version } };
}

/** cache → dispatch for a classification. */
export async function answerClassify(x: Exchange, entered: Entered<ClassifyCall>): Promise<Result<Classification>> {
  const { call, envelope, model } = entered;
  const { cache, tiers } = x.runtime;
  const identity = identityOf(entered, canonicalJson([call.inputs, call.topK, call.logits]));
  const hit = await cache.lookup(identity, envelope.cache);
  if (hit !== undefined) {
    const kept = hit.value as Classification;
    x.trail.cache = hit.outcome;
    x.trail.tier = kept.tier;
    return ok(kept);
  }
  const answer = await classify(tiers, model, call, journeyOf(x, envelope), x.trail);
  x.trail.cache = forwarded(envelope.cache, answer.ok);
  if (answer.ok) {
    const mine = answer.value.answer;
    x.trail.work = workOf(mine);
    copyToShadow(x, entered, mine, async (other, journey) => {
      const theirs = await classify(tiers, other, call, journey, { timings: {} });
      return theirs.ok ? ok(theirs.value.answer) : theirs;
    });
    x.trail.timings.queue = mine.timings.queueMs;
    x.trail.timings.run = mine.timings.runMs;
    x.waitUntil(cache.store(identity, answer.value, envelope.cache));
  }
  return answer;
}

/** cache → dispatch for a chat. Only temperature 0 is deterministic, so only that is kept. */
export async function answerChat(x: Exchange, entered: Entered<ChatCall>): Promise<Result<Reply>> {
  const { call, envelope, model } = entered;
  const { cache } = x.runtime;
  const keep = call.body.temperature === 0;
  const identity = keep ? identityOf(entered, canonicalJson(answerChanging(call))) : undefined;
  const hit = identity === undefined ? undefined : await cache.lookup(identity, envelope.cache);
  if (hit !== undefined) {
    x.trail.cache = hit.outcome;
    x.trail.tier = "origin";
    return ok(replay(x, entered, hit.value as ChatRecord));
  }
  const store: StoreRecord = (record) => {
    if (identity !== undefined && record !== undefined) x.waitUntil(cache.store(identity, record, envelope.cache));
  };
  // By version: the origin would take a bare name for its newest, and the answer would be kept as another version's.
  const body = { ...call.body, model: versioned(model) };
  const record = keep && envelope.cache.store ? store : undefined;
  const reply = call.stream ? await streamed(x, envelope, body, record) : await whole(x, envelope, body, record);
  x.trail.cache = forwarded(envelope.cache, keep && reply.ok);
  if (!reply.ok) return reply;
  x.trail.tier = "origin";
  x.trail.work = { rows: 1 };
  copyToShadow(x, entered, undefined, async (other, journey) => {
    const { stream: _stream, stream_options: _options, ...rest } = body;
    const theirs = await x.runtime.tiers.origin.complete({ ...rest, model: versioned(other) }, journey);
    return theirs.ok ? ok(undefined) : theirs;
  });
  return reply;
}

/** Asks the shadow version behind the answer, and counts what it says of it. Chats are not compared, only timed. */
function copyToShadow(
  x: Exchange,
  { shadow }: Entered<Call>,
  mine: PredictAnswer | undefined,
  ask: (model: DeployedModel, journey: Journey) => Promise<Result<PredictAnswer | undefined>>,
): void {
  if (shadow === undefined) return;
  const { shadows, tallies } = x.runtime;
  const { model, arm } = shadow;
  const { signal } = new AbortController();
  const counted = shadows
    .copy((deadlineMs) => ask(model, { requestId: x.requestId, deadlineMs, signal }))
    .then((copy) => {
      const theirs = copy.kind === "answered" ? copy.value : undefined;
      const compared =
        mine === undefined || theirs === undefined ? {} : { work: workOf(theirs), agreed: agree(mine, theirs) };
      const tally = copyTallyOf({ ...copy, ...compared }, arm.rollout.limits);
      if (tally !== undefined) tallies.recordArm(model.name, arm, tally, x.waitUntil);
    });
  x.waitUntil(counted);
}

type StoreRecord = (record: ChatRecord | undefined) => void;

/**
 * Recorded as it passes when it is to be kept, without holding anything back; watched as well when a rollout dealt it, as an
 * engine that died says so in the stream alone.
 */
async function streamed(x: Exchange, envelope: Envelope, body: object, store?: StoreRecord): Promise<Result<Reply>> {
  const { tiers, nowMs } = x.runtime;
  const source = await tiers.origin.stream(body, journeyOf(x, envelope));
  if (!source.ok) return source;
  x.trail.streams = true;
  // Without this the runtime ends the request with its stream, and with it the hand-over of what was counted.
  let ended = () => {};
  x.waitUntil(
    new Promise<void>((resolve) => {
      ended = resolve;
    }),
  );
  const recorder = store && new ChatRecorder();
  const events = relayEvents(source.value, {
    ...(recorder === undefined && x.trail.arm === undefined ? {} : { onData: (payload) => recorder?.onData(payload) }),
    onEnd: ({ complete, code }) => {
      if (complete) store?.(recorder?.record());
      recordCall(x, nowMs(), complete ? undefined : (code ?? "canceled"));
      ended();
    },
    errorEvent: (code) => sse(openAiError({ code })),
    timeoutMs: envelope.deadlineMs - nowMs(),
  });
  return ok(eventStreamReply(events));
}

async function whole(x: Exchange, envelope: Envelope, body: object, store?: StoreRecord): Promise<Result<Reply>> {
  const text = await x.runtime.tiers.origin.complete(body, journeyOf(x, envelope));
  if (!text.ok) return text;
  store?.(recordOf(text.value));
  return ok(jsonText(text.value));
}

function replay(x: Exchange, { call, model }: Entered<ChatCall>, record: ChatRecord): Reply {
  const stamp = { id: `chatcmpl-${x.requestId}`, model: versioned(model), created: Math.floor(x.startedMs / 1000) };
  return call.stream ? replayStream(record, stamp, call.includeUsage) : replayWhole(record, stamp);
}

function versioned({ name, version }: DeployedModel): string {
  return `${name}@${version}`;
}

/** The members of a chat body that can change its answer: all but how it is delivered and who is billed. */
function answerChanging({ body }: ChatCall): object {
  const { model: _model, stream: _stream, stream_options: _options, user: _user, metadata: _metadata, ...rest } = body;
  return rest;
}

function identityOf({ principal, model, call }: Entered<Call>, input: string): AnswerIdentity {
  const { name, version, digest } = model;
  return { tenant: principal.tenant, task: call.task, model: name, version, digest, input };
}

function journeyOf(x: Exchange, envelope: Envelope) {
  return { requestId: x.requestId, deadlineMs: envelope.deadlineMs, signal: x.request.signal };
}
