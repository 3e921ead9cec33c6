import { ok, type Result, type Tensor, type TensorSpec, type Tensors } from "@ledge/contract";
import type { Model } from "../model.ts";

/** Sizes of batches that calls will be put into, up to what the model takes. */
const batchSizes = [1, 8, 16, 32];

/** Elements of one made-up tensor: 16 MiB of floats. */
const elementsMax = 4 * 2 ** 20;

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
    const feeds = zeros(inputs, size, length);
    if (feeds === undefined) return ok(false);
    const outputs = await model.run(feeds);
    if (outputs.ok) return ok(true);
    if (!isOpen) return outputs;
  }
  return ok(false);
}

/** Undefined when they would be too large. */
export function zeros(specs: readonly TensorSpec[], rows: number, length: number): Tensors | undefined {
  const feeds: Record<string, Tensor> = {};
  for (const { name, datatype, shape: given } of specs) {
    const shape = given.map((size, axis) => (size >= 0 ? size : axis === 0 ? rows : length));
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements > elementsMax) return undefined;
    feeds[name] = { datatype, shape, data: emptyData[datatype](elements) } as Tensor;
  }
  return feeds;
}

const emptyData: { readonly [D in Tensor["datatype"]]: (elements: number) => unknown } = {
  BOOL: (elements) => new Uint8Array(elements),
  UINT8: (elements) => new Uint8Array(elements),
  UINT16: (elements) => new Uint16Array(elements),
  UINT32: (elements) => new Uint32Array(elements),
  UINT64: (elements) => new BigUint64Array(elements),
  INT8: (elements) => new Int8Array(elements),
  INT16: (elements) => new Int16Array(elements),
  INT32: (elements) => new Int32Array(elements),
  INT64: (elements) => new BigInt64Array(elements),
  FP16: (elements) => new Uint16Array(elements),
  FP32: (elements) => new Float32Array(elements),
  FP64: (elements) => new Float64Array(elements),
  BYTES: (elements) => new Array<string>(elements).fill(""),
};
