import { ok, type Result } from "@ledge/contract";
import { zeroTensors } from "@ledge/pipeline";
import type { Model } from "../model.ts";

/** Sizes of batches that calls will be put into, up to what the model takes. */
const batchSizes = [1, 8, 16, 32];

/**
 * Runs samples of every batch size in use, once. Only for who holds the turn.
 *
 * A text model gets a short text through its own steps; every other zeros, in the shapes of its manifest. Zeros in a shape
 * that the manifest leaves open may not suit a graph, so their failure is no fault; then fewer sizes were warmed.
 *
 * @returns the sizes; fault when the model fails on what it must be able to take
 */
export async function warmUp(model: Model): Promise<Result<readonly number[]>> {
  if (model.warmed !== undefined) return ok(model.warmed);
  const warmed: number[] = [];
  for (const size of batchSizes.filter((size) => size <= model.batchRowsMax)) {
    const done = model.servable.takes === "text" ? await runText(model, size) : await runZeros(model, size);
    if (!done.ok) return done;
    if (done.value) warmed.push(size);
  }
  model.warmed = warmed;
  return ok(warmed);
}

async function runText({ servable }: Model, size: number): Promise<Result<boolean>> {
  const row = servable.prepare("Warm this model before the first caller comes.");
  if (!row.ok) return row;
  const outputs = await servable.run(new Array(size).fill(row.value));
  return outputs.ok ? ok(true) : outputs;
}

async function runZeros(model: Model, size: number): Promise<Result<boolean>> {
  const { inputs } = model.manifest;
  const isOpen = inputs.some(({ shape }) => shape.slice(1).includes(-1));
  for (const length of isOpen ? [16, 1] : [1]) {
    const feeds = zeroTensors(inputs, size, length);
    // They would be too large.
    if (feeds === undefined) return ok(false);
    const outputs = await model.run(feeds);
    if (outputs.ok) return ok(true);
    if (!isOpen) return outputs;
  }
  return ok(false);
}
