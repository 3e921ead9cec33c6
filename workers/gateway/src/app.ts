import {
  type Action,
  fail,
  ok,
  type PredictAnswer,
  type Prompt,
  payerText,
  type Result,
  type Used,
} from "@ledge/contract";
import {
  type ArmRef,
  agree,
  allows,
  type CacheOutcome,
  copiesToShadow,
  copyTallyOf,
  isKept,
  type ModelRef,
  shareOf,
  tiersInOrder,
  type Work,
  workOf,
} from "@ledge/policy";
import { type Read, readSizedJson } from "./accept/body.ts";
import { readEnvelope } from "./accept/envelope.ts";
import { admit } from "./admit/admit.ts";
import { inspectTensors, inspectTexts } from "./admit/inspect.ts";
import { tokensIn } from "./app-count.ts";
import { assign } from "./assign/assign.ts";
import type { Errand } from "./cache/answers.ts";
import type { CacheCall } from "./cache/call.ts";
import { labelsForm, labelsText } from "./cache/labels.ts";
import { tensorsForm, tensorsText } from "./cache/tensors.ts";
import { classify } from "./dispatch/classify.ts";
import { infer, rowsOf } from "./dispatch/infer.ts";
import type { Journey } from "./dispatch/ports.ts";
import type {
  Call,
  Classification,
  ClassifyCall,
  Demand,
  DeployedModel,
  Envelope,
  Inference,
  Principal,
  TensorsCall,
  Trail,
} from "./exchange.ts";
import type { Runtime } from "./wire.ts";

/**
 * The way of a request: accept → admit → assign → cache → dispatch. `serve.ts` wraps it in observe.
 * This file states the order, and `app-chat.ts` its end for chats; each stage decides one question and knows none of the others.
 */

/** One request on its way through a Worker whose isolate keeps `R`. */
export interface Exchange<R = Runtime> {
  readonly request: Request;
  readonly requestId: string;
  readonly startedMs: number;
  readonly runtime: R;
  readonly trail: Trail;
  /** Keeps the isolate alive for work that the caller need not wait for. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface Entered<C> {
  readonly call: C;
  readonly envelope: Envelope;
  readonly principal: Principal;
  readonly model: DeployedModel;
  /** The shadow version that gets a copy of this call. */
  readonly shadow?: { readonly model: DeployedModel; readonly arm: ArmRef };
}

/** What a surface adds to the way: how it reads a body, and what that asks of the model that was assigned. */
export interface Surface<A extends { readonly model: ModelRef }, C> {
  readonly action: Action;
  read(request: Request, bytesMax: number): Promise<Result<Read<A>>>;
  /** The most tokens that the answer may have; absent: nobody set a bound. */
  outputTokensMax?(accepted: A): number | undefined;
  /** The same, with a bound of so many tokens of all its answers. */
  boundOutput?(accepted: A, tokens: number): A;
  callOf(accepted: A, model: DeployedModel): Result<C>;
  /** What the model is given to read, as far as it can be counted; absent or `undefined`: it cannot. */
  promptOf?(call: C): Prompt | undefined;
}

/** A surface whose bodies are JSON. */
export function jsonSurface<A extends { readonly model: ModelRef }, C>({
  accept,
  ...surface
}: Omit<Surface<A, C>, "read"> & { readonly accept: (body: unknown) => Result<A> }): Surface<A, C> {
  return {
    ...surface,
    async read(request, bytesMax) {
      const body = await readSizedJson(request, bytesMax);
      if (!body.ok) return body;
      const accepted = accept(body.value.value);
      return accepted.ok ? ok({ value: accepted.value, bytes: body.value.bytes }) : accepted;
    },
  };
}

/** accept → admit → assign: everything up to knowing who asks which model for what. */
export async function enter<A extends { readonly model: ModelRef }, C>(
  x: Exchange,
  surface: Surface<A, C>,
): Promise<Result<Entered<C> & { readonly accepted: A }>> {
  const { config, gate, catalog } = x.runtime;
  const rule = { defaultMs: config.TIMEOUT_MS_DEFAULT, maxMs: config.TIMEOUT_MS_MAX };
  const envelope = readEnvelope(x.request, x.requestId, x.startedMs, rule);
  if (!envelope.ok) return envelope;
  const read = await surface.read(x.request, config.BODY_BYTES_MAX);
  if (!read.ok) return read;
  const accepted = read.value.value;
  const { deadlineMs } = envelope.value;
  x.trail.asked = accepted.model;
  const assignFor = async ({ subject }: Principal) => {
    const view = await catalog.view(x.waitUntil);
    const assigned = assign(view, accepted.model, envelope.value.stickyKey ?? subject);
    return assigned.ok ? ok({ ...assigned.value, view }) : assigned;
  };
  // Whoever has a prompt counted is answered by the version that it was counted for.
  let assigning: ReturnType<typeof assignFor> | undefined;
  const countPrompt = async (principal: Principal) => {
    assigning = assignFor(principal);
    const assigned = await assigning;
    if (!assigned.ok) return undefined;
    const call = surface.callOf(accepted, assigned.value.model);
    return call.ok ? await tokensIn(x, assigned.value.model, surface.promptOf?.(call.value), deadlineMs) : undefined;
  };
  const demand = { ...demandOf(surface, read.value, deadlineMs), countPrompt };
  const admitted = await admit(x.request, demand, gate, x.trail, x.waitUntil);
  if (!admitted.ok) return admitted;
  const principal = admitted.value;
  x.trail.share = shareOf(principal.tenant, principal.standing);
  const assigned = await (assigning ?? assignFor(principal));
  if (!assigned.ok) return assigned;
  const { model, arm, view } = assigned.value;
  x.trail.model = model;
  if (arm !== undefined) x.trail.arm = arm;
  // The name alone was known before: a scope may be for other versions of it.
  if (!allows(principal.scopes, surface.action, model.name, model.version)) return fail("scope_denied");
  const call = surface.callOf(boundedBy(x.trail.outputLimit, surface, accepted), model);
  if (!call.ok) return call;
  const shadow = arm && shadowOf(arm, x.requestId, view.models.get(model.name)?.callable);
  return ok({
    accepted,
    call: call.value,
    envelope: envelope.value,
    principal,
    model,
    ...(shadow === undefined ? {} : { shadow }),
  });
}

function demandOf<A extends { readonly model: ModelRef }, C>(
  { action, outputTokensMax }: Surface<A, C>,
  { value, bytes }: Read<A>,
  deadlineMs: number,
): Demand {
  const tokens = outputTokensMax?.(value);
  const bound = tokens === undefined ? {} : { outputTokensMax: tokens };
  return { action, model: value.model.name, inputBytes: bytes, deadlineMs, ...bound };
}

/** An answer that is to stop at what was reserved for it is asked for no longer than that. It is another call then, to the cache too. */
function boundedBy<A extends { readonly model: ModelRef }, C>(
  limit: Trail["outputLimit"],
  { boundOutput }: Surface<A, C>,
  accepted: A,
): A {
  return limit?.policy === "stop" && boundOutput !== undefined ? boundOutput(accepted, limit.tokens) : accepted;
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
  const { call, model, principal } = entered;
  const { cache, tiers } = x.runtime;
  const texts = call.inputs.filter((input) => typeof input === "string");
  const inspected = inspectTexts(texts, principal.standing.tenant.input, model.manifest, x.trail);
  if (!inspected.ok) return inspected;
  const asked = cacheCallOf(x, entered, labelsText(call));
  const work = async (errand: Errand) => {
    const trail = trailOf(x, errand);
    const answer = await classify(tiers, model, call, journeyOf(x, errand), trail);
    if (!answer.ok || errand.behind) return answer;
    const mine = answer.value.answer;
    note(x.trail, workOf(mine));
    copyToShadow(x, entered, mine, async (other, journey) => {
      const theirs = await classify(tiers, other, call, journey, { timings: {} });
      return theirs.ok ? ok(theirs.value.answer) : theirs;
    });
    return answer;
  };
  const answer = await cache.answer(asked, labelsForm, work, sayFor(x));
  if (!answer.ok) return answer;
  x.trail.tier = answer.value.tier;
  const { inputTokens, timings } = answer.value.answer;
  noteUsed(x.trail, { inputTokens, outputTokens: 0, runMs: timings.runMs });
  return answer;
}

/** cache → dispatch for tensors. */
export async function answerTensors(x: Exchange, entered: Entered<TensorsCall>): Promise<Result<Inference>> {
  const { call, model, principal } = entered;
  const { cache, tiers, digests } = x.runtime;
  const inspected = inspectTensors(call.inputs, principal.standing.tenant.input, model.manifest, x.trail);
  if (!inspected.ok) return inspected;
  const asked = cacheCallOf(x, entered, tensorsText(call, digests.sha256Hex));
  const work = async (errand: Errand): Promise<Result<Inference>> => {
    const trail = trailOf(x, errand);
    const answer = await infer(tiers, model, call, journeyOf(x, errand), trail);
    if (!answer.ok || errand.behind) return answer;
    note(x.trail, { rows: rowsOf(call.inputs, model), timings: answer.value.timings });
    copyToShadow(x, entered, undefined, async (other, journey) => {
      const theirs = await infer(tiers, other, call, journey, { timings: {} });
      return theirs.ok ? ok(undefined) : theirs;
    });
    return answer;
  };
  const answer = await cache.answer(asked, tensorsForm, work, sayFor(x));
  if (!answer.ok) return answer;
  x.trail.tier = answer.value.tier;
  noteUsed(x.trail, { inputTokens: 0, outputTokens: 0, runMs: x.trail.work?.timings?.runMs ?? 0 });
  return answer;
}

/** What an answer used, or, when it was kept, what it spares. Of a call in several parts, added up. */
export function noteUsed(trail: Trail, more: Used): void {
  const { cache } = trail;
  const kept = cache !== undefined && isKept(cache);
  const none = { inputTokens: 0, outputTokens: 0 };
  if (kept) trail.spared = joinedUse(trail.spared, more);
  trail.used = joinedUse(trail.used, kept ? none : more);
}

function joinedUse(a: Used | undefined, b: Used): Used {
  if (a === undefined) return b;
  const sum = (of: keyof Used) => (a[of] ?? 0) + (b[of] ?? 0);
  return { inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens"), runMs: sum("runMs") };
}

/** What a tier did for this call. */
function note(trail: Trail, work: Work): void {
  trail.work = work;
  if (work.timings === undefined) return;
  trail.timings.queue = work.timings.queueMs;
  trail.timings.run = work.timings.runMs;
}

function sayFor({ trail }: Exchange) {
  return (outcome: CacheOutcome) => {
    trail.cache = outcome;
  };
}

/** Work behind the answer leaves no trace in what is said of the call. */
function trailOf(x: Exchange, { behind }: Errand): Trail {
  return behind ? { timings: {} } : x.trail;
}

/** One call, as the cache sees it. `sampled`: equal calls may be answered differently. */
export function cacheCallOf(x: Exchange, entered: Entered<Call>, input: string, sampled = false): CacheCall {
  const { principal, model, call, envelope } = entered;
  const { name, version, digest, manifest } = model;
  return {
    identity: { tenant: principal.tenant, task: call.task, model: name, version, digest, input },
    wish: envelope.cache,
    header: (named) => x.request.headers.get(named),
    sampled,
    // A hop to another place costs more than the run at the edge that it saves.
    reach: tiersInOrder(manifest.tiers)[0] === "edge" ? "isolate" : "everywhere",
    deadlineMs: envelope.deadlineMs,
    // The runtime makes a signal when it is first asked for: a hit never asks.
    get signal() {
      return x.request.signal;
    },
    waitUntil: x.waitUntil,
  };
}

/** Asks the shadow version behind the answer, and counts what it says of it. Chats and tensors are not compared, only timed. */
export function copyToShadow(
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

export function journeyOf(
  x: Exchange,
  { deadlineMs, signal, behind = false }: Pick<Errand, "deadlineMs" | "signal"> & Partial<Pick<Errand, "behind">>,
): Journey {
  const { payment, share } = x.trail;
  const continent = x.request.cf?.continent as string | undefined;
  const heard = (origin: string | undefined) => {
    if (origin !== undefined && !behind) x.trail.origin = origin;
  };
  const journey = {
    requestId: x.requestId,
    deadlineMs,
    signal,
    heard,
    ...(share && { share }),
    ...(continent && { continent }),
  };
  // What is got behind an answer is for the next callers: nobody pays for it.
  if (payment === undefined || behind) return journey;
  const { tenant, keyId: key, user, project } = payment.principal;
  const whose = { ...(key && { key }), ...(user && { user }), ...(project && { project }) };
  return { ...journey, payer: payerText({ call: payment.call, tenant, action: payment.action, ...whose }) };
}
