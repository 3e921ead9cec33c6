import type { Tensor, TensorSpec, Tensors } from "@ledge/contract";
import type { PreparedRow, StepTensor } from "./preparer.ts";

/**
 * Lays rows into one tensor per input, `[batch, …row]`. Where the graph leaves a row's first dimension open it is the longest
 * row's, at least 1; shorter rows are filled up. Where the graph fixes the batch, copies of the last row fill it. A row that
 * has nothing to be laid beside or filled up with lends its data.
 *
 * @param padding what fills rows, by input; default 0
 */
export function stackRows(
  rows: readonly PreparedRow[],
  inputs: readonly TensorSpec[],
  padding: Readonly<Record<string, number>>,
): Tensors {
  const stacked: Record<string, Tensor> = {};
  for (const { name, shape } of inputs) {
    const parts = rows.map((row) => stepTensor(row, name));
    const [batch = -1, fixedLength = -1] = shape;
    const last = parts.at(-1);
    while (last !== undefined && parts.length < batch) parts.push(last);
    stacked[name] = stack(parts, fixedLength, padding[name] ?? 0);
  }
  return stacked;
}

function stack(parts: readonly StepTensor[], fixedLength: number, filler: number): StepTensor {
  const [first] = parts;
  const [, ...rest] = first?.shape ?? [];
  const width = rest.reduce((product, size) => product * size, 1);
  const length = fixedLength >= 0 ? fixedLength : parts.reduce((most, { shape }) => Math.max(most, shape[0] ?? 0), 1);
  const size = length * width;
  const shape = [parts.length, length, ...rest];
  if (first !== undefined && parts.length === 1 && first.shape[0] === length) return { ...first, shape };
  const datatype = first?.datatype ?? "FP32";
  switch (datatype) {
    case "INT32": {
      const data = new Int32Array(parts.length * size);
      if (filler !== 0) data.fill(filler);
      for (const [at, part] of parts.entries()) if (part.datatype === datatype) data.set(part.data, at * size);
      return { datatype, shape, data };
    }
    case "INT64": {
      const data = new BigInt64Array(parts.length * size);
      if (filler !== 0) data.fill(BigInt(filler));
      for (const [at, part] of parts.entries()) if (part.datatype === datatype) data.set(part.data, at * size);
      return { datatype, shape, data };
    }
    case "FP32": {
      const data = new Float32Array(parts.length * size);
      if (filler !== 0) data.fill(filler);
      for (const [at, part] of parts.entries()) if (part.datatype === datatype) data.set(part.data, at * size);
      return { datatype, shape, data };
    }
  }
}

/** Steps make no other tensors, and make one for every input of the graph: {@link choosePreparer} saw to that. */
function stepTensor({ tensors }: PreparedRow, name: string): StepTensor {
  const tensor = tensors[name];
  if (tensor?.datatype === "INT32" || tensor?.datatype === "INT64" || tensor?.datatype === "FP32") return tensor;
  throw new Error(`A prepared row has ${tensor?.datatype ?? "nothing"} for ${name}.`);
}
