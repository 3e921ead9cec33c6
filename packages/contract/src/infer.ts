import * as z from "zod/mini";

const tensor = z.looseObject({
  name: z.string().check(z.maxLength(128)),
  shape: z.array(z.int().check(z.gte(0), z.lte(1_000_000))).check(z.maxLength(8)),
  datatype: z.string().check(z.maxLength(16)),
  data: z.optional(z.array(z.unknown())),
});

/** `POST /v2/models/{model}/infer`, JSON form (Open Inference Protocol v2). */
export const inferRequest = z.looseObject({
  id: z.optional(z.string().check(z.maxLength(128))),
  parameters: z.optional(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
  inputs: z.array(tensor).check(z.minLength(1), z.maxLength(16)),
  outputs: z.optional(z.array(z.looseObject({ name: z.string().check(z.maxLength(128)) })).check(z.maxLength(16))),
});
export type InferRequest = z.infer<typeof inferRequest>;
export type InferTensor = z.infer<typeof tensor>;
