import { fail, type ModelManifest, type PredictInput, type Tensors } from "@ledge/contract";
import { createServable, type Run } from "@ledge/pipeline";
import { Refusal } from "../refusal.ts";
import { bytesOf, type Content } from "./package-content.ts";

/**
 * What the graph is fed when callers send these inputs, by the package's own step: one run of the first input, and, where
 * the graph takes rows, one of eight, the inputs repeated as needed.
 *
 * @throws Refusal naming the input that the step refuses.
 */
export async function prepareInputs(
  manifest: ModelManifest,
  contents: readonly Content[],
  inputs: readonly PredictInput[],
): Promise<readonly Tensors[]> {
  const files = new Map(await Promise.all(contents.map(async (file) => [file.path, await bytesOf(file)] as const)));
  const feeds: Tensors[] = [];
  const keep: Run = async (tensors) => {
    feeds.push(tensors);
    return fail("upstream_failed"); // What is fed is all that is wanted; the engines run it later.
  };
  const servable = createServable({ manifest, files, run: keep });
  if (!servable.ok || servable.value.takes === "tensors") {
    throw new Refusal("This model takes tensors: write --input as Open Inference Protocol requests.");
  }
  const rows = inputs.map((input, at) => {
    const row = servable.value.prepare(input);
    if (row.ok) return row.value;
    throw new Refusal(`Input ${at + 1} of --input cannot be prepared: ${row.fault.detail ?? row.fault.code}`);
  });
  const counts = (manifest.limits.batchMax ?? 1) < 8 ? [1] : [1, 8];
  for (const count of counts) {
    await servable.value.run(Array.from({ length: count }, (_, at) => rows[at % rows.length]).filter(isThere));
  }
  return feeds;
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
