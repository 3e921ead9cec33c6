import { admitting, always, calling, type Operation } from "./operation.ts";
import { readiness } from "./readiness.ts";

const text = { name: "text", shape: [1], datatype: "BYTES", data: ["book me a flight to Rome"] };

/** The Open Inference Protocol v2, JSON form. */
export const openInference: readonly Operation[] = [
  {
    method: "get",
    path: "/v2",
    id: "oipServerMetadata",
    surface: "Open Inference Protocol",
    summary: "Describe the server.",
    answers: { 200: { description: "Name, version and extensions.", schema: "OipServer" } },
    errors: always,
  },
  {
    method: "get",
    path: "/v2/health/live",
    id: "oipServerLive",
    surface: "Open Inference Protocol",
    summary: "Whether the server runs.",
    answers: { 200: { description: "It runs.", schema: "Live" } },
    errors: always,
  },
  readiness("/v2/health/ready", "oipServerReady", "Open Inference Protocol"),
  {
    method: "get",
    path: "/v2/models",
    id: "oipListModels",
    surface: "Open Inference Protocol",
    summary: "List the deployed models' names.",
    credential: "caller",
    answers: { 200: { description: "The names.", schema: "OipModels" } },
    errors: admitting,
  },
  ...["", "/versions/{version}"].flatMap((version) => oipModelAt(`/v2/models/{model}${version}`, version !== "")),
];

/** The protocol has each of these twice: for the newest version and for a named one. */
function oipModelAt(path: string, versioned: boolean): readonly Operation[] {
  const shared = { surface: "Open Inference Protocol", credential: "caller" } as const;
  const lookingUp = [...admitting, "model_not_found"] as const;
  const which = versioned ? "a version of a model" : "a model";
  const suffix = versioned ? "Version" : "";
  return [
    {
      ...shared,
      method: "get",
      path,
      id: `oipModel${suffix}Metadata`,
      summary: `Describe ${which}: inputs and outputs.`,
      answers: { 200: { description: "The metadata.", schema: "OipModel" } },
      errors: lookingUp,
    },
    {
      ...shared,
      method: "get",
      path: `${path}/ready`,
      id: `oipModel${suffix}Ready`,
      summary: `Whether ${which} is deployed.`,
      answers: { 200: { description: "It is.", schema: "ModelReady" } },
      errors: lookingUp,
    },
    {
      ...shared,
      method: "post",
      path: `${path}/infer`,
      id: `oipModel${suffix}Infer`,
      summary: `Run ${which} on tensors, JSON form.`,
      inference: true,
      request: { schema: "InferRequest", example: { inputs: [text], outputs: [{ name: "label" }] } },
      answers: { 200: { description: "The outputs asked for, in that order.", schema: "OipInference" } },
      errors: [...calling, "invalid_shape"],
    },
  ];
}
