import {
  decodeInferAnswer,
  encodeInfer,
  fail,
  headerLengthHeader,
  type InferAnswer,
  type InferCall,
  ok,
  type Result,
} from "@ledge/contract";

/** Tensors to the origin and back, in the binary form of the Open Inference Protocol. */

/** A body and its type. */
export interface Outgoing {
  readonly body: string | Uint8Array;
  readonly type: Readonly<Record<string, string>>;
}

/** The call as a binary request of the Open Inference Protocol; the digest says which package the version must be. */
export function tensorsOut({ inputs, outputs, digest }: InferCall): Result<Outgoing> {
  const named = outputs?.map((name) => ({ name, parameters: { binary_data: true } }));
  const head = { parameters: { digest, binary_data_output: true }, ...(named === undefined ? {} : { outputs: named }) };
  const tensors = Object.entries(inputs).map(([name, tensor]) => ({ name, tensor, binary: true }));
  const message = encodeInfer(head, "inputs", tensors);
  if (!message.ok) return message;
  const { body, headerLength } = message.value;
  return ok({ body, type: { "Content-Type": "application/octet-stream", [headerLengthHeader]: String(headerLength) } });
}

/** The answer, or what is wrong with it. Throws when it breaks off. */
export async function tensorsIn(response: Response): Promise<Result<InferAnswer>> {
  const length = response.headers.get(headerLengthHeader);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const outputs = decodeInferAnswer(length === null ? undefined : Number(length), bytes);
  if (outputs.ok) return ok({ outputs: outputs.value, timings: notMeasured });
  return fail("upstream_failed", { cause: `origin: the answer is no inference: ${outputs.fault.code}` });
}

/** The protocol has no place for what the origin measured. */
const notMeasured = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
