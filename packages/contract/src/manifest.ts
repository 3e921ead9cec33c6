import * as z from "zod/mini";
import { canonicalJson } from "./canonical-json.ts";
import { datatype } from "./tensor.ts";

/** `model.json`: what a model package says of itself. Written by recipes and `ledge model add`, read by every tier. */

const tensor = z.object({
  name: z.string().check(z.minLength(1), z.maxLength(256)),
  datatype,
  /** −1 stands for a variable dimension. The first is the batch where the model can run several rows at once. */
  shape: z.array(z.int().check(z.gte(-1))).check(z.maxLength(8)),
  /** The least and the most that a value of an input may be. */
  range: z.optional(z.tuple([z.number(), z.number()])),
  /** Whether an input must hold neither NaN nor an infinity. */
  finite: z.optional(z.boolean()),
});
export type TensorSpec = z.infer<typeof tensor>;

/** Inside the package: no way up or out, no drive, no home. */
const insidePath = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(256),
    z.regex(/^(?![/~])(?!.*(?:^|\/)\.\.?(?:\/|$))[^\\\0:]+$/, "lies outside its package"),
  );

export const sha256Hex = z.string().check(z.regex(/^[0-9a-f]{64}$/, "64 hex digits"));

const file = z.object({ path: insidePath, bytes: z.int().check(z.positive()), sha256: sha256Hex });
export type PackageFile = z.infer<typeof file>;

export const modelName = z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "a model name"));
export const modelVersion = z.string().check(z.regex(/^[1-9][0-9]{0,8}$/, "a version: 1, 2, 3 …"));

/** What the model does, which says how it can be asked. `tensor`: tensors in, tensors out, nothing else. */
export const task = z.enum([
  "text-classification",
  "image-classification",
  "audio-classification",
  "embedding",
  "chat",
  "tensor",
]);
export type Task = z.infer<typeof task>;

const spread = z.object({ mean: z.number(), sd: z.number().check(z.positive()) });

/** What the texts that the model was made with are like, feature by feature (`packages/policy/src/input/text-profile.ts`). */
const textProfile = z.object({
  features: z.object({
    log_chars: spread,
    word_chars: spread,
    letters: spread,
    digits: spread,
    beyond_ascii: spread,
    punctuation: spread,
  }),
  /** A distance beyond it is unusual: root mean square of the features' distances in standard deviations. */
  threshold: z.number(),
});
export type TextProfile = z.infer<typeof textProfile>;
export type TextFeature = keyof TextProfile["features"];

/** What the numbers of an input that the model was made with are like (`packages/policy/src/input/tensor-profile.ts`). */
const tensorProfile = z.object({
  /** Mean and standard deviation of each place of the last axis; one pair alone: of all numbers. */
  features: z.array(z.tuple([z.number(), z.number().check(z.positive())])).check(z.minLength(1), z.maxLength(256)),
  /** A distance of a row beyond it is unusual: root mean square of its numbers' distances in standard deviations. */
  threshold: z.number(),
});
export type TensorProfile = z.infer<typeof tensorProfile>;

/** By what inputs unlike those the model was made with are told. */
const inputProfile = z.object({
  texts: z.optional(textProfile),
  /** By the name of the graph's input. Every gateway holds them, so there are not many. */
  tensors: z.optional(
    z
      .record(z.string(), tensorProfile)
      .check(
        z.refine(
          (tensors) => Object.values(tensors).reduce((sum, { features }) => sum + features.length, 0) <= 512,
          "at most 512 features in all",
        ),
      ),
  ),
});

const manifest = z.object({
  name: modelName,
  version: modelVersion,
  task,
  description: z.string().check(z.maxLength(2000)),
  licence: z.string().check(z.maxLength(200)),
  /** The ONNX graph; absent where an engine behind the origin serves the model. */
  file: z.optional(file),
  /** In place of a graph: that an engine behind the origin serves it, and by which name its weights are told apart from others. */
  served: z.optional(z.strictObject({ revision: z.string().check(z.maxLength(200)) })),
  /** Everything else the package needs to run: labels, tokenizer, external data. */
  files: z.optional(z.array(file).check(z.maxLength(64))),
  opset: z.optional(z.int()),
  producer: z.optional(z.string().check(z.maxLength(200))),
  inputs: z.array(tensor).check(z.maxLength(64)),
  outputs: z.array(tensor).check(z.maxLength(64)),
  /** A step of `steps.ts`, or feature hashing; read by `@ledge/pipeline`. */
  preprocess: z.optional(z.looseObject({ kind: z.string() })),
  postprocess: z.optional(z.looseObject({ kind: z.string() })),
  tiers: z.array(z.enum(["edge", "origin"])).check(z.minLength(1)),
  limits: z.looseObject({
    /** Bytes of one input. */
    inputBytesMax: z.optional(z.int().check(z.positive())),
    /** Rows in one run. */
    batchMax: z.optional(z.int().check(z.gte(1), z.lte(1024))),
  }),
  /** Written by `ledge model measure` on the WASM build: what decides whether the edge may run it. */
  measured: z.optional(
    z.looseObject({
      /** ONNX Runtime's heap after running batch 8, bytes. */
      heapBytes: z.int(),
      loadMs: z.number(),
      /** Median milliseconds of a run by batch size. */
      runMs: z.record(z.string(), z.number()),
    }),
  ),
  profile: z.optional(inputProfile),
  metrics: z.optional(z.looseObject({})),
  training: z.optional(z.looseObject({})),
});

export const modelManifest = manifest.check(
  z.refine(({ file, served }) => (file === undefined) !== (served === undefined), {
    error: "a package has a graph, and a model that an engine serves has 'served' in its place",
    path: ["file"],
  }),
  z.refine(servedFits, {
    error: "what an engine serves chats, embeds or takes tensors, at the origin alone, and has no files",
    path: ["served"],
  }),
  z.refine(profileFits, { error: "fits no input of numbers", path: ["profile"] }),
);

/** Of a model that is more than a name: a package, whose graph the edge or the origin runs. */
export const packageManifest = z
  .extend(manifest, { file })
  .check(z.refine(profileFits, { error: "fits no input of numbers", path: ["profile"] }));

/** Only what an engine's surface can say is served by one, and nothing of it lies with us. */
function servedFits({ served, files, tiers, task }: z.infer<typeof manifest>): boolean {
  if (served === undefined) return true;
  const atOrigin = tiers.every((tier) => tier === "origin");
  return atOrigin && files === undefined && ["chat", "embedding", "tensor"].includes(task);
}

/** A mean for each place there is, or one for all. */
function profileFits({ inputs, profile }: Pick<z.infer<typeof manifest>, "inputs" | "profile">): boolean {
  return Object.entries(profile?.tensors ?? {}).every(([name, { features }]) => {
    const input = inputs.find((one) => one.name === name);
    if (input === undefined || input.datatype === "BYTES") return false;
    return features.length === 1 || features.length === input.shape.at(-1);
  });
}

export type ModelManifest = z.infer<typeof modelManifest>;
export type PackageManifest = z.infer<typeof packageManifest>;

/** Every file of a package, the graph first; none where an engine serves the model. */
export function packageFiles({ file, files }: ModelManifest): readonly PackageFile[] {
  return [...(file === undefined ? [] : [file]), ...(files ?? [])];
}

/**
 * What of a manifest tells one package from another, as canonical JSON (RFC 8785): the version is the registry's, and
 * figures, prose and times change no answer. Its SHA-256 is the package's digest, under which this text itself is kept, and
 * part of every cache key.
 */
export function packageDocument(manifest: ModelManifest): string {
  const { version: _v, description: _d, metrics: _m, training: _t, measured: _h, profile: _p, ...identity } = manifest;
  return canonicalJson(identity);
}
