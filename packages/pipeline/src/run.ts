import type { Result, Tensors } from "@ledge/contract";

/**
 * The port to an engine: one run of the graph, inputs and outputs by name. It may leave out outputs that are not `wanted`.
 * A failing engine is a fault `upstream_failed` whose `cause` is for the log; it does not throw.
 */
export type Run = (feeds: Tensors, wanted: readonly string[]) => Promise<Result<Tensors>>;
