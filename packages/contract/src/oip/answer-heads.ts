import type { InferInput } from "../infer.ts";
import { fail, ok, type Result } from "../result.ts";
import { datatype } from "../tensor.ts";

const datatypes: ReadonlySet<unknown> = new Set([...datatype.options, "BF16"]);
const outputsMax = 64;
const ranksMax = 8;

/**
 * The outputs of a tier's or an engine's answer: all that is read of it. By hand, since nobody is told each thing that is wrong with an
 * answer, and a schema took some 3 % of what the origin takes for a call, by CPU profile. `null` is as good as absent: KServe says it. Fault:
 * `invalid_request`.
 */
export function answerHeads(answer: unknown): Result<readonly InferInput[]> {
  const outputs = isObject(answer) ? answer.outputs : undefined;
  if (!Array.isArray(outputs) || outputs.length > outputsMax) {
    return fail("invalid_request", { detail: `There is no list of at most ${outputsMax} outputs.` });
  }
  const heads: InferInput[] = [];
  for (const output of outputs) {
    const head = headOf(output);
    if (head === undefined) return fail("invalid_request", { detail: `Output ${heads.length} is none.` });
    heads.push(head);
  }
  return ok(heads);
}

function headOf(output: unknown): InferInput | undefined {
  if (!isObject(output)) return undefined;
  const { name, datatype, shape, parameters: perhaps, data } = output;
  const parameters = perhaps ?? undefined;
  if (typeof name !== "string" || name === "" || !datatypes.has(datatype)) return undefined;
  if (!Array.isArray(shape) || shape.length > ranksMax || !shape.every(isSize)) return undefined;
  if (parameters !== undefined && !isObject(parameters)) return undefined;
  if (data !== undefined && data !== null && !Array.isArray(data)) return undefined;
  return {
    name,
    datatype: datatype as InferInput["datatype"],
    shape,
    ...(parameters === undefined ? {} : { parameters: parameters as InferInput["parameters"] }),
    ...(Array.isArray(data) ? { data } : {}),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 2_147_483_647;
}
