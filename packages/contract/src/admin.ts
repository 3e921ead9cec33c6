import * as z from "zod/mini";
import { modelVersion } from "./manifest.ts";
import { registeredModel, versionPolicy } from "./registry.ts";

/**
 * The operator's API for models. Files go first, each under its SHA-256 (`PUT /admin/v1/blobs/{sha256}`, body the bytes), then
 * `POST /admin/v1/models/{model}/versions` with the manifest that names them.
 */
export const registerRequest = z.strictObject({
  /** `version` is not read: the registry gives the next number, or the old one to a package it has already. */
  manifest: z.looseObject({}),
});
export type RegisterRequest = z.infer<typeof registerRequest>;

export const registerAnswer = z.object({
  model: z.string(),
  version: z.string(),
  digest: z.string(),
  /** False when the registry had this very package already. */
  created: z.boolean(),
  /** The version that answers the bare name: a new one does not until a rollout or an operator says so. */
  stable: z.string(),
});
export type RegisterAnswer = z.infer<typeof registerAnswer>;

export const blobAnswer = z.object({ sha256: z.string(), bytes: z.int() });
export type BlobAnswer = z.infer<typeof blobAnswer>;

export const removedAnswer = z.object({
  /** `name@version`. */
  removed: z.string(),
});

export const pointRequest = z.strictObject({ version: modelVersion });
export const policyRequest = versionPolicy;

export const modelsAnswer = z.object({ number: z.int(), models: z.array(registeredModel) });
export type ModelsAnswer = z.infer<typeof modelsAnswer>;
