import {
  encodeInfer,
  fail,
  headerLengthHeader,
  type OutgoingTensor,
  ok,
  type Prediction,
  type Result,
  type Tensor,
  type Tensors,
} from "@ledge/contract";
import type { DeployedModel } from "../../exchange.ts";
import type { Reply } from "../../reply.ts";
import type { InferAsked } from "./asked.ts";
import { bestClasses, type Labels } from "./classes.ts";

/** The tensors of an answer, and the labels of its ranked classes where the model has some. */
export interface InferOutputs {
  readonly tensors: Tensors;
  readonly labels: Labels;
}

/** What the graph gave, by its own names. */
export function graphOutputs(tensors: Tensors): InferOutputs {
  return { tensors, labels: () => undefined };
}

/** Predictions as the tensors that the model's signature names. */
export function stepsOutputs(rows: readonly Prediction[]): InferOutputs {
  const numbers = (parts: readonly (readonly number[])[]): Tensor => {
    const data = Float32Array.from(parts.flat());
    return { datatype: "FP32", shape: [rows.length, data.length / rows.length], data };
  };
  const texts = rows.map((row) => row.label ?? "");
  const scores = Float32Array.from(rows, (row) => row.score ?? 0);
  return {
    tensors: {
      label: { datatype: "BYTES", shape: [rows.length], data: texts },
      score: { datatype: "FP32", shape: [rows.length], data: scores },
      logits: numbers(rows.map((row) => row.logits ?? [])),
      embedding: numbers(rows.map((row) => row.embedding ?? [])),
    },
    labels: (row) => rows[row]?.top?.map(({ label }) => label),
  };
}

/** The answer of `/infer`: JSON, or JSON with the binary outputs behind it. Errors: `invalid_shape`, `upstream_failed`. */
export function presentInfer(asked: InferAsked, model: DeployedModel, outputs: InferOutputs): Result<Reply> {
  const sent: OutgoingTensor[] = [];
  for (const { name, binary, classes, bf16 } of asked.wishes) {
    const tensor = outputs.tensors[name];
    if (tensor === undefined) return fail("upstream_failed", { cause: `the tier gave no output ${name}` });
    if (bf16 && (tensor.datatype !== "FP32" || classes > 0)) {
      return fail("invalid_shape", { detail: `'${name}' is no FP32 output, so it has no BF16 form.` });
    }
    // Labels belong to the logits: what they rank is what the labels rank.
    const labels = name === "logits" ? outputs.labels : () => undefined;
    const shown = classes > 0 ? bestClasses(name, tensor, classes, labels) : ok(tensor);
    if (!shown.ok) return shown;
    sent.push({ name, tensor: shown.value, binary, ...(bf16 ? { as: "BF16" } : {}) });
  }
  const id = asked.id === undefined ? {} : { id: asked.id };
  const message = encodeInfer({ ...id, model_name: model.name, model_version: model.version }, "outputs", sent);
  if (!message.ok) return message;
  const { body, headerLength } = message.value;
  const headers: Record<string, string> =
    headerLength === undefined
      ? { "Content-Type": "application/json" }
      : { "Content-Type": "application/octet-stream", [headerLengthHeader]: String(headerLength) };
  return ok({ status: 200, body, headers });
}
