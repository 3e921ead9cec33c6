import { fail, type Result, type TensorSpec } from "@ledge/contract";
import { hashFeatures } from "./hash-features.ts";
import type { Preparer } from "./preparer.ts";
import { readPicture } from "./read-picture.ts";
import { readSound } from "./read-sound.ts";
import { tokenize } from "./tokenize.ts";

/** Makes the step that `preprocess` names. Fault: `model_not_ready`, whose cause says what does not fit. */
export function choosePreparer(
  step: { readonly kind: string },
  inputs: readonly TensorSpec[],
  files: ReadonlyMap<string, Uint8Array>,
): Result<Preparer> {
  switch (step.kind) {
    case "feature-hashing":
      return hashFeatures(step, inputs);
    case "tokenizer":
      return tokenize(step, inputs, files);
    case "image":
      return readPicture(step, inputs);
    case "audio":
      return readSound(step, inputs);
    default:
      return fail("model_not_ready", { cause: `preprocess: the kind '${step.kind}' is unknown` });
  }
}
