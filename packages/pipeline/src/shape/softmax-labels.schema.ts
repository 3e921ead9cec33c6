import * as z from "zod/mini";

/**
 * `postprocess` of kind `softmax-labels` in `model.json`: one output of logits, one label per class. Strict, since a step
 * that we do not know would change answers in silence.
 */
export const softmaxLabels = z.strictObject({
  kind: z.literal("softmax-labels"),
  /** The file of the package that lists the labels, in the order of the logits. */
  labels: z.string().check(z.minLength(1)),
  /** When the best score lies below `below`, the answer is `label` instead of the best label. */
  outOfScope: z.optional(
    z.strictObject({ label: z.string().check(z.minLength(1)), below: z.number().check(z.gte(0), z.lte(1)) }),
  ),
});
export type SoftmaxLabels = z.infer<typeof softmaxLabels>;
