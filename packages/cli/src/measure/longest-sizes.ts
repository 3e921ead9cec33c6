import type { GraphFacts } from "../inspect/read-graph.ts";

/** Beyond this one run of eight rows is no longer what a small model at the edge is asked for. */
const tokensMax = 512;

/**
 * Sizes of the dimensions that grow with a text, at the most tokens or features that its package lets through. Empty
 * where the package takes no text, or the graph gives the dimension no name.
 */
export function longestSizes(
  { inputs }: Pick<GraphFacts, "inputs">,
  { preprocess }: { readonly preprocess?: Readonly<Record<string, unknown>> },
): ReadonlyMap<string, number> {
  const most = preprocess?.maxTokens ?? preprocess?.maxIds;
  if (typeof most !== "number") return new Map();
  const names = inputs.map(({ dimensions }) => dimensions?.[1]);
  const named = names.filter((name): name is string => typeof name === "string" && name !== "");
  return new Map(named.map((name) => [name, Math.min(most, tokensMax)]));
}
