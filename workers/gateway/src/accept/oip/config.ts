import type { Datatype, TensorSpec } from "@ledge/contract";
import type { DeployedModel } from "../../exchange.ts";
import { jsonReply, type Reply } from "../../reply.ts";
import { platformOf, signatureOf } from "./signature.ts";

/**
 * `GET …/config`: a model's configuration in the words of Triton's ModelConfig. Members that mean nothing here are left
 * out. The graph's own tensors stand under `parameters` where steps surround the graph: they can be used all the same.
 */
export function presentConfig({ name, manifest }: DeployedModel): Reply {
  const signature = signatureOf(manifest);
  const { inputs, outputs } = signature ?? manifest;
  const batched = [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
  const side = (specs: readonly TensorSpec[]) => specs.map((spec) => tensorConfig(spec, batched));
  const graph = signature !== undefined;
  return jsonReply({
    name,
    platform: platformOf(manifest),
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: batched ? (manifest.limits.batchMax ?? 64) : 0,
    input: side(inputs),
    output: side(outputs),
    default_model_filename: manifest.file?.path ?? "",
    parameters: graph ? { graph_inputs: listed(manifest.inputs), graph_outputs: listed(manifest.outputs) } : {},
    ...(batched ? { dynamic_batching: {} } : {}),
  });
}

/** Without the batch dimension; a tensor that has no other is `[1]`, reshaped to none, as Triton writes it. */
function tensorConfig({ name, datatype, shape }: TensorSpec, batched: boolean): object {
  const dims = batched ? shape.slice(1) : shape;
  const scalar = dims.length === 0 ? { dims: [1], reshape: { shape: [] } } : { dims };
  return { name, data_type: tritonType(datatype), ...scalar };
}

function tritonType(datatype: Datatype): string {
  return `TYPE_${datatype === "BYTES" ? "STRING" : datatype}`;
}

function listed(specs: readonly TensorSpec[]): { readonly string_value: string } {
  const tensors = specs.map(({ name, datatype, shape }) => ({ name, data_type: tritonType(datatype), dims: shape }));
  return { string_value: JSON.stringify(tensors) };
}
