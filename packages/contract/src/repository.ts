import * as z from "zod/mini";

/** The model repository extension of the Open Inference Protocol. Triton's clients send `{}`, parameters, or no body. */

/** `POST /v2/repository/index`. */
export const indexRequest = z.looseObject({
  /** Only what can be called. Default false. */
  ready: z.optional(z.boolean()),
});

/**
 * `POST /v2/repository/models/{model}/load` and `…/unload`. `config` (Triton's ModelConfig as JSON text) with
 * `file:<version>/<path>` (base64) brings a model along.
 */
export const loadRequest = z.looseObject({
  parameters: z.optional(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
});
