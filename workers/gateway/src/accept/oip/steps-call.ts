import {
  batchMax,
  fail,
  type InferInput,
  ok,
  type PredictInput,
  type Result,
  readElements,
  readTensor,
  textCharsMax,
  type WireTensor,
} from "@ledge/contract";
import { toBase64 } from "../../base64.ts";
import type { ClassifyCall, DeployedModel } from "../../exchange.ts";
import { stepsTask } from "../../task.ts";
import type { InferFrame } from "./frame.ts";
import type { Signature } from "./signature.ts";
import type { OutputWish } from "./wishes.ts";

/** A call through the model's own steps: texts, pictures or sounds. Errors: `invalid_shape`. */
export function stepsCall(
  frame: InferFrame,
  model: DeployedModel,
  { input }: Signature,
  given: readonly WireTensor[],
  wishes: readonly OutputWish[],
): Result<ClassifyCall> {
  const task = stepsTask(model);
  if (!task.ok) return task;
  const [only, ...others] = given;
  if (only === undefined || others.length > 0) {
    return fail("invalid_shape", { detail: `This model takes one input, '${input}', or its graph's own.` });
  }
  const inputs = input === "text" ? readTexts(only) : readMedia(only, input);
  if (!inputs.ok) return inputs;
  const logits = wishes.find(({ name }) => name === "logits");
  const topK = Math.min(1000, Math.max(1, logits?.classes ?? 1));
  return ok({ task: task.value, model: frame.model, inputs: inputs.value, topK, logits: logits !== undefined });
}

/** The shape may be [n] or, as Triton's clients send it for a batch, [n, 1]. */
function checkRows({ name, datatype, shape }: InferInput): Result<number> {
  const [rows, columns = 1] = shape;
  if (datatype !== "BYTES") return fail("invalid_shape", { detail: `'${name}' has the datatype BYTES.` });
  if (rows === undefined || rows < 1 || rows > batchMax || columns !== 1 || shape.length > 2) {
    return fail("invalid_shape", { detail: `'${name}' has the shape [n] or [n, 1] with n from 1 to ${batchMax}.` });
  }
  return ok(rows);
}

function readTexts(given: WireTensor): Result<readonly string[]> {
  const rows = checkRows(given.head);
  if (!rows.ok) return rows;
  const tensor = readTensor(given);
  if (!tensor.ok) return tensor;
  const texts = tensor.value.datatype === "BYTES" ? tensor.value.data : [];
  if (texts.every((text) => text.length <= textCharsMax)) return ok(texts);
  return fail("invalid_shape", { detail: `A text has at most ${textCharsMax} characters.` });
}

/** A picture or a sound is the bytes of its file: as they are in binary form, in base64 in JSON. */
function readMedia({ head, bytes }: WireTensor, kind: "image" | "audio"): Result<readonly PredictInput[]> {
  const rows = checkRows(head);
  if (!rows.ok) return rows;
  const wrap = (base64: string): PredictInput => (kind === "image" ? { image: base64 } : { audio: base64 });
  if (bytes !== undefined) {
    const elements = readElements(head, bytes);
    return elements.ok ? ok(elements.value.map((element) => wrap(toBase64(element)))) : elements;
  }
  const tensor = readTensor({ head });
  if (!tensor.ok) return tensor;
  const texts = tensor.value.datatype === "BYTES" ? tensor.value.data : [];
  if (texts.every((text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text))) return ok(texts.map(wrap));
  return fail("invalid_shape", { detail: `'${kind}' takes a file's bytes: as binary data, or in base64 in JSON.` });
}
