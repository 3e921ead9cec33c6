import { admitting, always, calling, type Operation, operating, reading } from "./operation.ts";
import { readiness } from "./readiness.ts";

const surface = "Open Inference Protocol";
const text = { name: "text", shape: [1], datatype: "BYTES", data: ["book me a flight to Rome"] };
const changing = [...reading, ...operating, "model_not_found", "registry_unavailable", "model_not_ready"] as const;

const common = { surface, credential: "caller" } as const;

/** The Open Inference Protocol v2 with Triton's extensions, described in a document of its own that is not served: the protocol is known. */
export const inferenceOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/v2",
    id: "oipServerMetadata",
    surface,
    summary: "Describe the server.",
    answers: { 200: { description: "Name, version and extensions.", schema: "OipServer" } },
    errors: always,
  },
  {
    method: "get",
    path: "/v2/health/live",
    id: "oipServerLive",
    surface,
    summary: "Whether the server runs.",
    answers: { 200: { description: "It runs.", schema: "Live" } },
    errors: always,
  },
  readiness("/v2/health/ready", "oipServerReady", surface),
  {
    method: "get",
    path: "/v2/models",
    id: "oipListModels",
    surface,
    summary: "List the deployed models' names.",
    credential: "caller",
    answers: { 200: { description: "The names.", schema: "OipModels" } },
    errors: admitting,
  },
  {
    method: "get",
    path: "/v2/models/stats",
    id: "oipStatistics",
    surface,
    summary: "What was counted of all models.",
    credential: "caller",
    answers: { 200: { description: "The counts.", schema: "OipStatistics" } },
    errors: [...admitting, "counts_unavailable"],
  },
  ...["", "/versions/{version}"].flatMap((version) => {
    const at = { path: `/v2/models/{model}${version}`, versioned: version !== "" };
    return [...looks(at), ...calls(at)];
  }),
  {
    method: "post",
    path: "/v2/repository/index",
    id: "oipRepositoryIndex",
    surface,
    summary: "List every version and whether it can be called. The body may be missing.",
    credential: "caller",
    request: { schema: "OipIndexRequest", example: { ready: true } },
    answers: { 200: { description: "The versions.", schema: "OipIndex" } },
    errors: [...reading, ...admitting, "invalid_encoding"],
  },
  {
    method: "post",
    path: "/v2/repository/models/{model}/load",
    id: "oipLoadModel",
    surface,
    summary: "Load a model; with `config` and files register it as a new version that answers the bare name.",
    credential: "operator",
    scope: "models:write",
    request: { schema: "OipLoadRequest", example: {} },
    answers: { 200: { description: "It is loaded.", empty: true } },
    errors: [
      ...changing,
      "unsupported_parameter",
      "package_rejected",
      "registry_conflict",
      "overloaded",
      "upstream_failed",
      "deadline_exceeded",
    ],
  },
  {
    method: "post",
    path: "/v2/repository/models/{model}/unload",
    id: "oipUnloadModel",
    surface,
    summary: "Refuse calls to a model from now on, and free it.",
    credential: "operator",
    scope: "models:write",
    request: { schema: "OipLoadRequest", example: {} },
    answers: { 200: { description: "It is unloaded.", empty: true } },
    errors: [...changing, "unsupported_parameter", "version_in_use"],
  },
];

/** The protocol has each of these twice: for the version that answers the bare name, and for a named one. */
interface At {
  readonly path: string;
  readonly versioned: boolean;
}

function namesOf({ versioned }: At) {
  return { which: versioned ? "a version of a model" : "a model", infix: versioned ? "Version" : "" };
}

function looks(at: At): readonly Operation[] {
  const { which, infix } = namesOf(at);
  const lookingUp = [...admitting, "model_not_found", "model_not_ready"] as const;
  return [
    {
      ...common,
      method: "get",
      path: at.path,
      id: `oipModel${infix}Metadata`,
      summary: `Describe ${which}: inputs and outputs.`,
      answers: { 200: { description: "The metadata.", schema: "OipModel" } },
      errors: lookingUp,
    },
    {
      ...common,
      method: "get",
      path: `${at.path}/ready`,
      id: `oipModel${infix}Ready`,
      summary: `Whether ${which} can be called.`,
      answers: {
        200: { description: "It can.", schema: "ModelReady" },
        400: { description: "It is there, and unloaded.", schema: "OipError" },
      },
      errors: [...admitting, "model_not_found"],
    },
    {
      ...common,
      method: "get",
      path: `${at.path}/config`,
      id: `oipModel${infix}Config`,
      summary: `The configuration of ${which} in Triton's words.`,
      answers: { 200: { description: "The configuration.", schema: "OipConfig" } },
      errors: lookingUp,
    },
    {
      ...common,
      method: "get",
      path: `${at.path}/stats`,
      id: `oipModel${infix}Statistics`,
      summary: `What was counted of ${which}.`,
      answers: { 200: { description: "The counts.", schema: "OipStatistics" } },
      errors: [...lookingUp, "counts_unavailable"],
    },
  ];
}

function calls(at: At): readonly Operation[] {
  const { which, infix } = namesOf(at);
  const generating = [...calling, "unsupported_parameter", "context_length_exceeded"] as const;
  const request = {
    schema: "GenerateRequest",
    example: { text_input: "Say hello.", parameters: { max_tokens: 16 } },
  } as const;
  return [
    {
      ...common,
      method: "post",
      path: `${at.path}/infer`,
      id: `oipModel${infix}Infer`,
      summary: `Run ${which} on tensors: JSON, binary data behind it (Inference-Header-Content-Length), or one raw tensor.`,
      inference: true,
      request: { schema: "InferRequest", example: { inputs: [text], outputs: [{ name: "label" }] }, binary: true },
      answers: { 200: { description: "The outputs asked for, in that order.", schema: "OipInference", binary: true } },
      errors: [...calling, "invalid_shape", "invalid_encoding", "unsupported_extension"],
    },
    {
      ...common,
      method: "post",
      path: `${at.path}/generate`,
      id: `oipModel${infix}Generate`,
      summary: `Have ${which} continue a text.`,
      inference: true,
      request,
      answers: { 200: { description: "The text.", schema: "Generated" } },
      errors: generating,
    },
    {
      ...common,
      method: "post",
      path: `${at.path}/generate_stream`,
      id: `oipModel${infix}GenerateStream`,
      summary: `Have ${which} continue a text, piece by piece.`,
      inference: true,
      request,
      answers: {
        200: {
          description: 'Server-sent events, each an answer of `generate` with a piece of the text, or `{"error"}`.',
          mediaType: "text/event-stream",
        },
      },
      errors: generating,
    },
  ];
}
