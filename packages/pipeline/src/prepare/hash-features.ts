import { fail, ok, type Result, type TensorSpec } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { featureHashing } from "./feature-hashing.schema.ts";
import { featureHasher } from "./feature-hashing.ts";
import { onlyFeed } from "./feed.ts";
import { idTensor } from "./id-tensor.ts";
import type { Preparer } from "./preparer.ts";

/** Text to hashed feature ids, `[length]` a row. */
export function hashFeatures(step: unknown, inputs: readonly TensorSpec[]): Result<Preparer> {
  const spec = readStep("preprocess", featureHashing, step);
  if (!spec.ok) return spec;
  const input = onlyFeed(inputs, ["INT32", "INT64"], 2);
  if (!input.ok) return input;
  const { name, datatype, shape } = input.value;
  const [, places = -1] = shape;
  if (places >= 0 && places < spec.value.maxIds) {
    return fail("model_not_ready", {
      cause: `preprocess: ${name} has ${places} places and maxIds is ${spec.value.maxIds}`,
    });
  }
  const hash = featureHasher(spec.value);
  return ok({
    takes: "text",
    padding: { [name]: spec.value.padId },
    prepare: (text) => {
      if (typeof text !== "string") return fail("invalid_shape", { detail: "This model takes texts." });
      const ids = hash(text);
      return ok({ tokens: ids.length, tensors: { [name]: idTensor(ids, datatype) } });
    },
  });
}
