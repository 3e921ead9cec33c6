import type { Result } from "@ledge/contract";

/** A dense tensor in row-major order, as every ONNX runtime takes and gives it. */
export type Tensor =
  | { readonly datatype: "INT32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly datatype: "INT64"; readonly shape: readonly number[]; readonly data: BigInt64Array }
  | { readonly datatype: "FP32"; readonly shape: readonly number[]; readonly data: Float32Array };

export type Tensors = Readonly<Record<string, Tensor>>;

/**
 * The port to an engine: one run of the graph, inputs and outputs by name.
 * A failing engine is a fault `upstream_failed` whose `cause` is for the log; it does not throw.
 */
export type Run = (feeds: Tensors) => Promise<Result<Tensors>>;
