import { errors, type Fault } from "@ledge/contract";
import type { DeployedModel } from "../../exchange.ts";
import { jsonReply, type Reply } from "../../reply.ts";
import { describedTensors, platformOf } from "./signature.ts";

/** Triton's names for what of its protocol is here. Shared memory, trace and logging settings, and sequences are not. */
const extensions = [
  "classification",
  "model_repository",
  "model_configuration",
  "binary_tensor_data",
  "parameters",
  "statistics",
  "generate",
] as const;

export function presentOipServer(version: string): Reply {
  return jsonReply({ name: "ledge", version, extensions });
}

export function presentOipModel(model: DeployedModel, all: readonly DeployedModel[]): Reply {
  const versions = all.filter(({ name }) => name === model.name).map(({ version }) => version);
  return jsonReply({
    name: model.name,
    versions,
    platform: platformOf(model.manifest),
    ...describedTensors(model.manifest),
  });
}

/** `error` is all that v2 clients read: our code stands in front of its sentence, and beside it for whoever branches on it. */
export function presentOipFault(fault: Fault): Reply {
  return jsonReply({ error: oipErrorText(fault), code: fault.code }, errors[fault.code].status);
}

function oipErrorText(fault: Fault): string {
  const issues = fault.issues?.map((issue) => `${issue.path}: ${issue.message}`) ?? [];
  const text = [errors[fault.code].message, ...(fault.detail === undefined ? [] : [fault.detail]), ...issues].join(" ");
  return `${fault.code}: ${text}`;
}
