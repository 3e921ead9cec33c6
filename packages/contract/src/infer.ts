import * as z from "zod/mini";
import { wireDatatype } from "./oip/wire-datatype.ts";

const name = z.string().check(z.minLength(1), z.maxLength(256));
/** Parameter values of the protocol: a request, an input and an output may each carry some. Unknown ones change nothing. */
const parameters = z.record(z.string().check(z.maxLength(128)), z.union([z.string(), z.number(), z.boolean()]));

const inferInput = z.looseObject({
  name,
  shape: z.array(z.int().check(z.gte(0), z.lte(2_147_483_647))).check(z.maxLength(8)),
  datatype: wireDatatype,
  /** `binary_data_size`: the tensor's bytes behind the JSON; then there is no `data`. */
  parameters: z.optional(parameters),
  data: z.optional(z.array(z.unknown())),
});

const inferOutput = z.looseObject({
  name,
  /** `binary_data`: as bytes behind the JSON. `classification`: the best k classes. `datatype`: "BF16" of an FP32 output. */
  parameters: z.optional(parameters),
});

/** `POST /v2/models/{model}/infer` (Open Inference Protocol v2): the JSON, behind which binary data may lie. */
export const inferRequest = z.looseObject({
  id: z.optional(z.string().check(z.maxLength(128))),
  /** `binary_data_output`: all outputs as binary data. `timeout`: microseconds the caller still waits. */
  parameters: z.optional(parameters),
  inputs: z.array(inferInput).check(z.minLength(1), z.maxLength(64)),
  outputs: z.optional(z.array(inferOutput).check(z.maxLength(64))),
});
export type InferRequest = z.infer<typeof inferRequest>;
export type InferInput = z.infer<typeof inferInput>;
export type InferOutput = z.infer<typeof inferOutput>;
