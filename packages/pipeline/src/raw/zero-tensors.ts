import type { Datatype, Tensor, TensorSpec, Tensors } from "@ledge/contract";

/** Elements of one made-up tensor: 16 MiB of floats. */
const elementsMax = 4 * 2 ** 20;

/**
 * Zeros (or empty texts) for every input of a graph, to run it once before the first caller does.
 *
 * @param rows the first dimension where it is open
 * @param length every other open dimension
 * @returns undefined when they would be too large
 */
export function zeroTensors(specs: readonly TensorSpec[], rows: number, length: number): Tensors | undefined {
  const zeros: Record<string, Tensor> = {};
  for (const { name, datatype, shape: given } of specs) {
    const shape = given.map((size, axis) => (size >= 0 ? size : axis === 0 ? rows : length));
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements > elementsMax) return undefined;
    // The table holds a datatype and its array together, which no type can say.
    zeros[name] = { datatype, shape, data: arrays[datatype](elements) } as Tensor;
  }
  return zeros;
}

const arrays: { readonly [D in Datatype]: (elements: number) => Tensor["data"] } = {
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
