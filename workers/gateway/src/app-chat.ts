import { canonicalJson, ok, type Result } from "@ledge/contract";
import { openAiError } from "./accept/openai.ts";
import { copyToShadow, type Entered, type Exchange, identityOf, journeyOf } from "./app.ts";
import { forwarded } from "./cache/answers.ts";
import { type ChatRecord, ChatRecorder, recordOf, replayStream, replayWhole, sse } from "./dispatch/chat-record.ts";
import { relayEvents } from "./dispatch/chat-stream.ts";
import type { ChatCall, DeployedModel, Envelope } from "./exchange.ts";
import { recordCall } from "./observe/record.ts";
import { eventStreamReply, jsonText, type Reply } from "./reply.ts";

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
