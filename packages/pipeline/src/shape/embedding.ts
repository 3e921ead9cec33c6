import { type EmbeddingStep, embeddingStep, fail, ok, type Result, type TensorSpec } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { readOutput, valuesOf } from "./read-output.ts";
import type { Shaper } from "./shaper.ts";

/** Token vectors pooled over a row's own tokens, padding excluded, or the graph's own vector; to length 1 when asked. */
export function embeddingShaper(step: unknown, outputs: readonly TensorSpec[]): Result<Shaper> {
  const spec = readStep("postprocess", embeddingStep, step);
  if (!spec.ok) return spec;
  const { pool, normalise, dimensions } = spec.value;
  const output = readOutput(outputs, spec.value.output);
  if (!output.ok) return output;
  const { name, shape } = output.value;
  const last = shape.at(-1) ?? -1;
  const rank = pool === "none" ? 2 : 3;
  if (shape.length !== rank || (last !== -1 && last !== dimensions)) {
    const expected = pool === "none" ? `[batch, ${dimensions}]` : `[batch, length, ${dimensions}]`;
    return fail("model_not_ready", {
      cause: `postprocess: ${name} has the shape [${shape.join(", ")}], and the step reads ${expected}`,
    });
  }
  return ok({
    gives: "embedding",
    output: name,
    rowShape: pool === "none" ? [dimensions] : [-1, dimensions],
    shape: (row) => {
      const vector = pooled(valuesOf(row, name), pool, dimensions);
      return { embedding: Array.from(normalise ? toLength1(vector) : vector) };
    },
  });
}

/** `vectors` holds one vector a token. Without any, as of an empty text, the answer is all zeros. */
function pooled(vectors: Float32Array, pool: EmbeddingStep["pool"], dimensions: number): Float32Array | Float64Array {
  if (pool !== "mean") return vectors.length === 0 ? new Float32Array(dimensions) : vectors.subarray(0, dimensions);
  const sum = new Float64Array(dimensions);
  for (let from = 0; from < vectors.length; from += dimensions) {
    for (let at = 0; at < dimensions; at++) sum[at] = (sum[at] ?? 0) + (vectors[from + at] ?? 0);
  }
  const count = vectors.length / dimensions;
  return count === 0 ? sum : sum.map((value) => value / count);
}

/** A vector of zeros has no direction and stays as it is. */
function toLength1(vector: Float32Array | Float64Array): Float64Array {
  const doubles = Float64Array.from(vector);
  const length = Math.sqrt(doubles.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? doubles : doubles.map((value) => value / length);
}
