import { fail, ok, type Result, type TensorSpec } from "@ledge/contract";

/**
 * Looks up the graph's input that a step feeds. Fault: `model_not_ready` when there is none of this name, or it takes another
 * datatype or number of dimensions than the step makes.
 *
 * @param rank dimensions, the batch included
 */
export function feed<D extends TensorSpec["datatype"]>(
  inputs: readonly TensorSpec[],
  name: string,
  datatypes: readonly D[],
  rank: number,
): Result<TensorSpec & { readonly datatype: D }> {
  const input = inputs.find((each) => each.name === name);
  if (input === undefined) return fail("model_not_ready", { cause: `preprocess: the graph has no input ${name}` });
  const datatype = datatypes.find((each) => each === input.datatype);
  if (datatype === undefined || input.shape.length !== rank) {
    const takes = `${input.datatype}[${input.shape.join(", ")}]`;
    return fail("model_not_ready", {
      cause: `preprocess: ${name} is ${takes}, and the step feeds ${datatypes.join(" or ")} of ${rank} dimensions`,
    });
  }
  return ok({ ...input, datatype });
}

/** The graph's one input, for steps that make one tensor. Faults as {@link feed}, and when the graph has several. */
export function onlyFeed<D extends TensorSpec["datatype"]>(
  inputs: readonly TensorSpec[],
  datatypes: readonly D[],
  rank: number,
): Result<TensorSpec & { readonly datatype: D }> {
  const [input] = inputs;
  if (input !== undefined && inputs.length === 1) return feed(inputs, input.name, datatypes, rank);
  return fail("model_not_ready", {
    cause: `preprocess: the graph has ${inputs.length} inputs, and the step feeds one`,
  });
}
