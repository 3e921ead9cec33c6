import {
  dealBinary,
  fail,
  headerLengthHeader,
  type InferOutput,
  type InferRequest,
  inferRequest,
  ok,
  parse,
  type Result,
  splitMessage,
  type WireTensor,
} from "@ledge/contract";
import { type ModelRef, parseModelRef } from "@ledge/policy";
import { parseJson, type Read, readBytes } from "../body.ts";

/** An infer request as it came. What its tensors mean is known when the model is. */
export interface InferFrame {
  readonly model: ModelRef;
  readonly id?: string;
  readonly parameters: NonNullable<InferRequest["parameters"]>;
  /** Absent: all of the model's. */
  readonly outputs?: readonly InferOutput[];
  /** The tensors, or the whole body when it is one tensor without JSON (the protocol's raw binary request). */
  readonly body: { readonly tensors: readonly WireTensor[] } | { readonly raw: Uint8Array };
}

/** `/v2/models/{model}` and `/v2/models/{model}/versions/{version}`. Errors: `model_not_found`. */
export function modelAt(model: string, version: string | undefined): Result<ModelRef> {
  const ref = parseModelRef(version === undefined ? model : `${model}@${version}`);
  return ref === undefined ? fail("model_not_found") : ok(ref);
}

/** Reads the body of `/infer`: JSON, JSON with binary data behind it, or one raw tensor; compressed or not. */
export async function readInfer(
  request: Request,
  bytesMax: number,
  model: string,
  version: string | undefined,
): Promise<Result<Read<InferFrame>>> {
  const ref = modelAt(model, version);
  if (!ref.ok) return ref;
  const headerLength = headerLengthOf(request.headers);
  if (!headerLength.ok) return headerLength;
  const bytes = await readBytes(request, bytesMax);
  if (!bytes.ok) return bytes;
  const frame = frameOf(ref.value, headerLength.value, bytes.value);
  return frame.ok ? ok({ value: frame.value, bytes: bytes.value.length }) : frame;
}

function frameOf(model: ModelRef, headerLength: number | undefined, bytes: Uint8Array): Result<InferFrame> {
  if (headerLength === 0) return ok({ model, parameters: {}, body: { raw: bytes } });
  const parts = splitMessage(headerLength, bytes);
  if (!parts.ok) return parts;
  const json = parseJson(parts.value.json);
  if (!json.ok) return json;
  const head = parse(inferRequest, json.value);
  if (!head.ok) return head;
  const tensors = dealBinary(head.value.inputs, parts.value.binary);
  if (!tensors.ok) return tensors;
  const { id, parameters = {}, outputs } = head.value;
  return ok({
    model,
    parameters,
    body: { tensors: tensors.value },
    ...(id === undefined ? {} : { id }),
    ...(outputs === undefined || outputs.length === 0 ? {} : { outputs }),
  });
}

/** A length that is longer than the body is found when the body is there. */
function headerLengthOf(headers: Headers): Result<number | undefined> {
  const text = headers.get(headerLengthHeader);
  if (text === null) return ok(undefined);
  if (/^[0-9]{1,10}$/.test(text)) return ok(Number(text));
  return fail("invalid_header", { detail: `${headerLengthHeader} takes a whole number of bytes.` });
}
