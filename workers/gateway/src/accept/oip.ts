import {
  batchMax,
  errors,
  type Fault,
  fail,
  type InferInput,
  inferRequest,
  ok,
  type Prediction,
  parse,
  type Result,
  textCharsMax,
} from "@ledge/contract";
import { parseModelRef } from "@ledge/policy";
import type { Classification, ClassifyCall, DeployedModel } from "../exchange.ts";
import { jsonReply, type Reply } from "../reply.ts";

/**
 * The Open Inference Protocol v2, JSON form. A text classifier is served as texts in, labels out:
 * input `text` BYTES [n]; outputs `label` BYTES [n], `score` FP32 [n], `logits` FP32 [n, classes].
 */

const outputNames = ["label", "score", "logits"] as const;
type OutputName = (typeof outputNames)[number];

export interface InferExchange {
  readonly call: ClassifyCall;
  readonly id?: string;
  /** The outputs asked for, in that order; all when none is named. */
  readonly outputs: readonly OutputName[];
}

export function acceptInfer(model: string, version: string | undefined, body: unknown): Result<InferExchange> {
  const ref = parseModelRef(version === undefined ? model : `${model}@${version}`);
  if (ref === undefined) return fail("model_not_found");
  const request = parse(inferRequest, body);
  if (!request.ok) return request;
  const { inputs, outputs, id } = request.value;
  const [input, ...rest] = inputs;
  if (input === undefined || rest.length > 0 || input.name !== "text") {
    return fail("invalid_shape", { detail: "This model takes one input, 'text'." });
  }
  const texts = readTexts(input);
  if (!texts.ok) return texts;
  const names: OutputName[] = [];
  for (const { name } of outputs ?? outputNames.map((name) => ({ name }))) {
    const known = outputNames.find((candidate) => candidate === name);
    if (known === undefined) return fail("invalid_shape", { detail: "The outputs are 'label', 'score' and 'logits'." });
    names.push(known);
  }
  const call: ClassifyCall = {
    task: "text-classification",
    model: ref,
    inputs: texts.value,
    topK: 1,
    logits: names.includes("logits"),
  };
  return ok({ call, outputs: names, ...(id === undefined ? {} : { id }) });
}

/** `data` may be flat or nested, row-major; the shape may be [n] or, as Triton clients send it, [n, 1]. */
function readTexts(input: InferInput): Result<readonly string[]> {
  const [rows, columns = 1] = input.shape;
  if (input.datatype !== "BYTES") return fail("invalid_shape", { detail: "'text' has the datatype BYTES." });
  if (rows === undefined || rows < 1 || rows > batchMax || columns !== 1 || input.shape.length > 2) {
    return fail("invalid_shape", { detail: `'text' has the shape [n] or [n, 1] with n from 1 to ${batchMax}.` });
  }
  const texts: string[] = [];
  for (const element of input.data?.flat() ?? []) {
    if (typeof element !== "string") return fail("invalid_shape", { detail: "'text' takes strings." });
    if (element.length > textCharsMax)
      return fail("invalid_shape", { detail: `A text has at most ${textCharsMax} characters.` });
    texts.push(element);
  }
  if (texts.length !== rows)
    return fail("invalid_shape", { detail: `The shape says ${rows} texts, the data has ${texts.length}.` });
  return ok(texts);
}

export function presentInference(exchange: InferExchange, { answer }: Classification, model: DeployedModel): Reply {
  const outputs = exchange.outputs.map((name) => outputTensor(name, answer.predictions));
  const id = exchange.id === undefined ? {} : { id: exchange.id };
  return jsonReply({ model_name: model.name, model_version: model.version, ...id, outputs });
}

function outputTensor(name: OutputName, rows: readonly Prediction[]): object {
  switch (name) {
    case "label":
      return { name, datatype: "BYTES", shape: [rows.length], data: rows.map((row) => row.label) };
    case "score":
      return { name, datatype: "FP32", shape: [rows.length], data: rows.map((row) => row.score) };
    case "logits": {
      const data = rows.flatMap((row) => row.logits ?? []);
      return { name, datatype: "FP32", shape: [rows.length, data.length / rows.length], data };
    }
  }
}

export function presentOipServer(version: string): Reply {
  return jsonReply({ name: "ledge", version, extensions: [] });
}

export function presentOipModel(model: DeployedModel, all: readonly DeployedModel[]): Reply {
  const versions = all.filter((other) => other.name === model.name).map((other) => other.version);
  const classifies = model.manifest.task === "text-classification";
  const classes = model.manifest.outputs[0]?.shape.at(-1) ?? -1;
  const inputs = classifies ? [{ name: "text", datatype: "BYTES", shape: [-1] }] : model.manifest.inputs;
  const outputs = classifies
    ? [
        { name: "label", datatype: "BYTES", shape: [-1] },
        { name: "score", datatype: "FP32", shape: [-1] },
        { name: "logits", datatype: "FP32", shape: [-1, classes] },
      ]
    : model.manifest.outputs;
  return jsonReply({ name: model.name, versions, platform: "onnx_onnxv1", inputs, outputs });
}

/** `{"error": "…"}`: the only error shape v2 clients read. Our code travels in front of the sentence. */
export function presentOipFault(fault: Fault): Reply {
  const issues = fault.issues?.map((issue) => `${issue.path}: ${issue.message}`) ?? [];
  const text = [errors[fault.code].message, ...(fault.detail === undefined ? [] : [fault.detail]), ...issues].join(" ");
  return jsonReply({ error: `${fault.code}: ${text}` }, errors[fault.code].status);
}
