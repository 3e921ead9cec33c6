import { fail, ok, type Result } from "@ledge/contract";
import { parseJson, readBytes } from "./accept/body.ts";
import { graphOutputs, type InferOutputs, presentInfer, stepsOutputs } from "./accept/oip/answer.ts";
import { askInfer, type InferAsked } from "./accept/oip/asked.ts";
import { compressed } from "./accept/oip/compressed.ts";
import { presentConfig } from "./accept/oip/config.ts";
import { type InferFrame, readInfer } from "./accept/oip/frame.ts";
import { acceptGenerate, presentGenerated } from "./accept/oip/generate.ts";
import { presentOipFault, presentOipModel, presentOipServer } from "./accept/oip/metadata.ts";
import { acceptIndex, presentIndex } from "./accept/oip/repository.ts";
import { type CountedVersion, presentStatistics } from "./accept/oip/statistics.ts";
import { boundOutput, chatCallOf, outputTokensMax } from "./accept/openai.ts";
import { answerClassify, answerTensors, type Entered, type Exchange, enter, jsonSurface } from "./app.ts";
import { answerChat } from "./app-chat.ts";
import { promptOfChat, promptOfInputs } from "./app-count.ts";
import { assign } from "./assign/assign.ts";
import { type CatalogView, deployedModels } from "./assign/view.ts";
import type { DeployedModel } from "./exchange.ts";
import type { RouteContext } from "./find-route.ts";
import { listModels, lookUp, ready, refIn, viewFor } from "./look-up.ts";
import { countsOf } from "./observe/counts.ts";
import { jsonReply } from "./reply.ts";
import type { Handler, Route } from "./serve.ts";

/** The Open Inference Protocol v2, with the extensions that model-server clients use. */

const infer: Handler = async (x, c) => {
  const entered = await enter(x, {
    action: "infer",
    read: (request, bytesMax) => readInfer(request, bytesMax, c.param("model") ?? "", c.param("version")),
    callOf: askInfer,
    promptOf: ({ call }) => (call.task === "tensor" ? undefined : promptOfInputs(call)),
  });
  if (!entered.ok) return entered;
  const { call: asked, model, accepted } = entered.value;
  const outputs = await outputsFor(x, { ...entered.value, envelope: hurried(entered.value, accepted) });
  if (!outputs.ok) return outputs;
  const reply = presentInfer(asked, model, outputs.value);
  return reply.ok ? ok(compressed(reply.value, x.request)) : reply;
};

async function outputsFor(x: Exchange, entered: Entered<InferAsked>): Promise<Result<InferOutputs>> {
  const { call } = entered.call;
  if (call.task === "tensor") {
    const answer = await answerTensors(x, { ...entered, call });
    return answer.ok ? ok(graphOutputs(answer.value.outputs)) : answer;
  }
  const answer = await answerClassify(x, { ...entered, call });
  return answer.ok ? ok(stepsOutputs(answer.value.answer.predictions)) : answer;
}

/** The protocol's own deadline, `timeout` in microseconds, where it comes sooner. */
function hurried({ envelope }: Entered<InferAsked>, { parameters }: InferFrame): Entered<InferAsked>["envelope"] {
  const timeout = Number(parameters.timeout);
  if (!(timeout > 0)) return envelope;
  return { ...envelope, deadlineMs: Math.min(envelope.deadlineMs, envelope.startedMs + timeout / 1000) };
}

function generate(stream: boolean): Handler {
  return async (x, c) => {
    const accept = (body: unknown) => {
      const asked = acceptGenerate(c.param("model") ?? "", c.param("version"), stream, body);
      return asked.ok ? ok({ ...asked.value, model: asked.value.call.model }) : asked;
    };
    const entered = await enter(
      x,
      jsonSurface({
        action: "chat",
        accept,
        outputTokensMax: ({ call }) => outputTokensMax(call),
        boundOutput: (asked, tokens) => ({ ...asked, call: boundOutput(asked.call, tokens) }),
        callOf: ({ call }, model) => chatCallOf(call, model),
        promptOf: promptOfChat,
      }),
    );
    if (!entered.ok) return entered;
    const chat = await answerChat(x, entered.value);
    return chat.ok ? await presentGenerated(entered.value.accepted, entered.value.model, chat.value) : chat;
  };
}

/** Triton says 400 of a model that is there and not ready; its clients take anything but 200 for that. */
const modelReady: Handler = async (x, c) => {
  const looked = await lookUp((model) => jsonReply({ name: model.name, ready: true }))(x, c);
  if (looked.ok || looked.fault.code !== "model_not_ready") return looked;
  return ok({ ...presentOipFault(looked.fault), status: 400 });
};

/** Of all models, of one, or of one of its versions. */
const statistics: Handler = async (x, c) => {
  const view = await viewFor(x);
  if (!view.ok) return view;
  const versions = versionsMeant(view.value, c);
  if (!versions.ok) return versions;
  const counted = await countsOf(versions.value, x.runtime.counter);
  return counted.ok ? ok(presentStatistics(counted.value satisfies readonly CountedVersion[])) : counted;
};

function versionsMeant(view: CatalogView, c: RouteContext): Result<readonly DeployedModel[]> {
  if (c.param("model") === undefined) return ok(deployedModels(view));
  const ref = refIn(c);
  if (!ref.ok) return ref;
  const assigned = assign(view, ref.value);
  if (!assigned.ok) return assigned;
  const { version, alias, name } = ref.value;
  const named = version !== undefined || alias !== undefined;
  return ok(named ? [assigned.value.model] : deployedModels(view).filter((model) => model.name === name));
}

/** Clients send the index request without a body. */
const index: Handler = async (x) => {
  const body = await readBytes(x.request, x.runtime.config.BODY_BYTES_MAX);
  if (!body.ok) return body;
  const json = body.value.length === 0 ? ok(undefined) : parseJson(body.value);
  if (!json.ok) return json;
  const asked = acceptIndex(json.value);
  if (!asked.ok) return asked;
  const view = await viewFor(x);
  if (!view.ok) return view;
  const entries = [...view.value.models.values()].flatMap(({ model, callable }) =>
    model.versions.map(({ version, state }) => ({
      name: model.name,
      version,
      ready: callable.has(version),
      reason: callable.has(version) ? "" : state === "unloaded" ? "unloaded" : "outside the version policy",
    })),
  );
  return ok(presentIndex(entries, asked.value.readyOnly));
};

/** The protocol has each of these twice: for the version that answers the bare name, and for a named one. */
function modelRoutes(path: string): readonly Route[] {
  return [
    ["GET", path, lookUp(presentOipModel)],
    ["GET", `${path}/ready`, modelReady],
    ["GET", `${path}/config`, lookUp(presentConfig)],
    ["GET", `${path}/stats`, statistics],
    ["POST", `${path}/infer`, infer],
    ["POST", `${path}/generate`, generate(false)],
    ["POST", `${path}/generate_stream`, generate(true)],
  ];
}

/** Of Triton's server alone: its memory, its traces, its log. Any method. */
const unsupportedPaths = [
  "/v2/systemsharedmemory/*",
  "/v2/cudasharedmemory/*",
  "/v2/trace/setting",
  "/v2/models/:model/trace/setting",
  "/v2/logging",
] as const;

/** `version`: the deployment's. */
export function oipRoutes(version: string): readonly Route[] {
  return [
    ["GET", "/v2", () => ok(presentOipServer(version))],
    ["GET", "/v2/health/live", () => ok(jsonReply({ live: true }))],
    ["GET", "/v2/health/ready", ready],
    ["GET", "/v2/models", listModels(({ models }) => jsonReply({ models: [...models.keys()] }))],
    // Before the models: one cannot be called `stats`.
    ["GET", "/v2/models/stats", statistics],
    ...modelRoutes("/v2/models/:model"),
    ...modelRoutes("/v2/models/:model/versions/:version"),
    ["POST", "/v2/repository/index", index],
    ...unsupportedPaths.map((path): Route => ["ALL", path, () => fail("unsupported_extension")]),
  ];
}
