import { canonicalJson, ok, type Result } from "@ledge/contract";
import { openAiError } from "./accept/openai.ts";
import { cacheCallOf, copyToShadow, type Entered, type Exchange, journeyOf } from "./app.ts";
import type { Miss } from "./cache/call.ts";
import { type ChatRecord, ChatRecorder, recordOf, replayStream, replayWhole, sse } from "./dispatch/chat-record.ts";
import { relayEvents } from "./dispatch/chat-stream.ts";
import type { ChatCall, DeployedModel, Envelope } from "./exchange.ts";
import { recordCall } from "./observe/record.ts";
import { eventStreamReply, jsonText, type Reply } from "./reply.ts";

/** cache → dispatch for a chat. */
export async function answerChat(x: Exchange, entered: Entered<ChatCall>): Promise<Result<Reply>> {
  const { call, envelope, model } = entered;
  const asked = cacheCallOf(x, entered, canonicalJson(answerChanging(call)), isSampled(call));
  const looked = await x.runtime.cache.look(asked);
  if (!looked.ok) return looked;
  if (looked.value.kind === "found") {
    x.trail.cache = looked.value.outcome;
    x.trail.tier = "origin";
    return ok(replay(x, entered, looked.value.value as ChatRecord));
  }
  const miss = looked.value;
  // By version: the origin would take a bare name for its newest, and the answer would be kept as another version's.
  const body = { ...call.body, model: versioned(model) };
  x.trail.cache = miss.outcome;
  const reply = call.stream ? await streamed(x, envelope, body, miss) : await whole(x, envelope, body, miss);
  if (!reply.ok) {
    const instead = miss.insteadOf(reply.fault);
    if (instead === undefined) return reply;
    x.trail.cache = instead.outcome;
    x.trail.tier = "origin";
    return ok(replay(x, entered, instead.value as ChatRecord));
  }
  x.trail.tier = "origin";
  x.trail.work = { rows: 1 };
  copyToShadow(x, entered, undefined, async (other, journey) => {
    const { stream: _stream, stream_options: _options, ...rest } = body;
    const theirs = await x.runtime.tiers.origin.complete({ ...rest, model: versioned(other) }, journey);
    return theirs.ok ? ok(undefined) : theirs;
  });
  return reply;
}

/** Whether asking again may give another answer: only temperature 0 and a seed give the same. */
function isSampled({ body: { temperature, seed } }: ChatCall): boolean {
  return temperature !== 0 && typeof seed !== "number";
}

/**
 * Recorded as it passes when it is to be kept, without holding anything back; watched as well when a rollout dealt it, as an
 * engine that died says so in the stream alone.
 */
async function streamed(x: Exchange, envelope: Envelope, body: object, miss: Miss): Promise<Result<Reply>> {
  const { tiers, nowMs } = x.runtime;
  const source = await tiers.origin.stream(body, journeyOf(x, { ...envelope, behind: false }));
  if (!source.ok) return source;
  x.trail.streams = true;
  // Without this the runtime ends the request with its stream, and with it the hand-over of what was counted.
  let ended = () => {};
  x.waitUntil(
    new Promise<void>((resolve) => {
      ended = resolve;
    }),
  );
  const recorder = miss.stored && new ChatRecorder();
  x.trail.cache = miss.stored ?? miss.outcome;
  const events = relayEvents(source.value, {
    ...(recorder === undefined && x.trail.arm === undefined ? {} : { onData: (payload) => recorder?.onData(payload) }),
    onEnd: ({ complete, code }) => {
      const record = complete ? recorder?.record() : undefined;
      if (record !== undefined) miss.keep(record);
      recordCall(x, nowMs(), complete ? undefined : (code ?? "canceled"));
      ended();
    },
    errorEvent: (code) => sse(openAiError({ code })),
    timeoutMs: envelope.deadlineMs - nowMs(),
  });
  return ok(eventStreamReply(events));
}

async function whole(x: Exchange, envelope: Envelope, body: object, miss: Miss): Promise<Result<Reply>> {
  const text = await x.runtime.tiers.origin.complete(body, journeyOf(x, { ...envelope, behind: false }));
  if (!text.ok) return text;
  const record = recordOf(text.value);
  if (record !== undefined) x.trail.cache = miss.keep(record);
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
