import * as z from "zod/mini";

/** `model.json`: what a model package says of itself. Written by recipes, read by every tier. */

const datatype = z.enum(["BOOL", "UINT8", "INT8", "INT32", "INT64", "FP32", "BYTES"]);

const tensor = z.object({
  name: z.string().check(z.minLength(1)),
  datatype,
  /** −1 stands for a variable dimension. */
  shape: z.array(z.int().check(z.gte(-1))),
});

const file = z.object({
  path: z.string().check(z.minLength(1)),
  bytes: z.int().check(z.positive()),
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});

export const modelManifest = z.object({
  name: z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)),
  version: z.string().check(z.regex(/^[0-9]{1,9}$/)),
  task: z.enum(["text-classification", "chat"]),
  description: z.string(),
  licence: z.string(),
  /** The ONNX graph. Its SHA-256 is the version's digest. */
  file,
  files: z.optional(z.array(file)),
  inputs: z.array(tensor),
  outputs: z.array(tensor),
  preprocess: z.optional(z.looseObject({ kind: z.string() })),
  postprocess: z.optional(z.looseObject({ kind: z.string() })),
  tiers: z.array(z.enum(["edge", "origin"])).check(z.minLength(1)),
  limits: z.looseObject({}),
  metrics: z.optional(z.looseObject({})),
});

export type ModelManifest = z.infer<typeof modelManifest>;
export type Task = ModelManifest["task"];
export type Datatype = z.infer<typeof datatype>;
