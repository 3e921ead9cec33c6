import { taken } from "./jobs.ts";
import { admitting, always, calling, type Operation, operating, reading, spending } from "./operation.ts";
import { readiness } from "./readiness.ts";

const prediction = { label: "book_flight", score: 0.97, top: [{ label: "book_flight", score: 0.97 }] };
const messages = [{ role: "user", content: "Say hello." }];

const ledge: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/predict",
    id: "predict",
    surface: "Ledge",
    summary: "Ask a model about one text or a batch of them.",
    credential: "caller",
    inference: true,
    request: { schema: "PredictRequest", example: { model: "intent", input: "book me a flight to Rome" } },
    answers: {
      200: {
        description: "The predictions, in the order of the texts.",
        schema: "PredictResponse",
        example: {
          id: "0b0c8a52-8f5e-4c9a-9d0e-2f6f4f1f7a10",
          model: "intent",
          version: "1",
          tier: "edge",
          output: prediction,
          usage: { input_tokens: 9 },
        },
      },
      ...taken,
    },
    errors: [...calling, ...spending, "input_refused"],
  },
  {
    method: "post",
    path: "/v1/feedback",
    id: "rateAnswer",
    surface: "Ledge",
    summary: "Say how good an answer was. Only the first rating of a request counts.",
    credential: "caller",
    request: {
      schema: "FeedbackRequest",
      example: { request_id: "0b0c8a52-8f5e-4c9a-9d0e-2f6f4f1f7a10", model: "intent@1", score: 1 },
    },
    answers: { 202: { description: "It is taken.", schema: "FeedbackAnswer" } },
    errors: [...reading, ...admitting, "model_not_found", "counter_unavailable"],
  },
  {
    method: "post",
    path: "/v1/cache/feedback",
    id: "reportWrongHit",
    surface: "Ledge",
    summary: "Say that a cached answer, named by `Cache-Status`, was not the one asked for. It is removed.",
    credential: "caller",
    request: {
      schema: "CacheFeedbackRequest",
      example: { id: "0b0c8a528f5e4c9a9d0e2f6f4f1f7a10", model: "tiny-chat@1" },
    },
    answers: { 202: { description: "It is removed.", schema: "CacheFeedbackAnswer" } },
    errors: [...reading, ...admitting, "cache_keeper_unavailable"],
  },
];

const openAi: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/chat/completions",
    id: "createChatCompletion",
    surface: "OpenAI",
    summary: "Continue a conversation; with `stream` as server-sent events.",
    credential: "caller",
    inference: true,
    request: { schema: "ChatRequest", example: { model: "tiny-chat", messages, temperature: 0 } },
    answers: {
      200: { description: "The answer, whole or as a stream of events.", schema: "ChatCompletion" },
      ...taken,
    },
    events: "ChatChunk",
    errors: [
      ...calling,
      ...spending,
      "input_refused",
      "guard_refused",
      "unsupported_parameter",
      "context_length_exceeded",
    ],
  },
  {
    method: "post",
    path: "/v1/embeddings",
    id: "createEmbedding",
    surface: "OpenAI",
    summary: "Turn texts into vectors.",
    credential: "caller",
    inference: true,
    request: { schema: "EmbeddingsRequest", example: { model: "embed", input: ["a text", "another"] } },
    answers: { 200: { description: "A vector for each text, in their order.", schema: "Embeddings" }, ...taken },
    errors: [...calling, ...spending, "input_refused", "invalid_shape", "unsupported_parameter"],
  },
  {
    method: "get",
    path: "/v1/models",
    id: "listModels",
    surface: "OpenAI",
    summary: "List the deployed models.",
    credential: "caller",
    answers: { 200: { description: "The models.", schema: "OpenAiModels" } },
    errors: admitting,
  },
  {
    method: "get",
    path: "/v1/models/{model}",
    id: "retrieveModel",
    surface: "OpenAI",
    summary: "Describe one model.",
    credential: "caller",
    answers: { 200: { description: "The model.", schema: "OpenAiModel" } },
    errors: [...admitting, "model_not_found"],
  },
];

const probes: readonly Operation[] = [
  {
    method: "get",
    path: "/healthz",
    id: "healthz",
    surface: "Operations",
    summary: "Whether the gateway runs.",
    answers: { 200: { description: "It runs.", schema: "Alive" } },
    errors: always,
  },
  readiness("/readyz", "readyz", "Operations"),
  {
    method: "get",
    path: "/metrics",
    id: "metrics",
    surface: "Operations",
    summary: "Counters of all models under Triton's names, for Prometheus.",
    credential: "operator",
    scope: "models:read",
    answers: { 200: { description: "Prometheus text.", mediaType: "text/plain" } },
    errors: [...operating, "counts_unavailable"],
  },
  {
    method: "get",
    path: "/openapi.json",
    id: "openapi",
    surface: "Operations",
    summary: "This description.",
    answers: { 200: { description: "OpenAPI 3.1." } },
    errors: ["operator_unavailable", ...always],
  },
];

/** Every route of the gateway but the operator's and the Open Inference Protocol's; `document.ts` turns them into OpenAPI. */
export const operations: readonly Operation[] = [...ledge, ...openAi, ...probes];
