import { fail, ok, type Result, type Tensor } from "@ledge/contract";

/** Classes of one row with their labels, best first; absent where the model has no labels for it. */
export type Labels = (row: number) => readonly string[] | undefined;

/**
 * The classification extension: in place of values the best `k` of each row, as BYTES `value:index[:label]`, best first,
 * equal ones in the order of their classes. Values are written as Triton writes them: floats with six decimals.
 * Errors: `invalid_shape` for an output that has no values to rank.
 */
export function bestClasses(name: string, tensor: Tensor, k: number, labels: Labels): Result<Tensor> {
  const { datatype, shape, data } = tensor;
  if (datatype === "BYTES" || datatype === "BOOL" || datatype === "FP16") {
    return fail("invalid_shape", { detail: `'${name}' is ${datatype}: its classes cannot be ranked.` });
  }
  const rows = shape.length > 1 ? (shape[0] ?? 1) : 1;
  const width = rows === 0 ? 0 : data.length / rows;
  const float = datatype === "FP32" || datatype === "FP64";
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const values = Array.from(data.subarray(row * width, (row + 1) * width) as ArrayLike<number | bigint>);
    const order = values.map((_, index) => index).sort((a, b) => descending(values[a], values[b]) || a - b);
    const named = labels(row);
    for (const [rank, index] of order.slice(0, k).entries()) {
      const value = values[index] ?? 0;
      const label = named?.[rank];
      const text = float ? Number(value).toFixed(6) : String(value);
      texts.push(`${text}:${index}${label === undefined ? "" : `:${label}`}`);
    }
  }
  const columns = Math.min(k, width);
  return ok({ datatype: "BYTES", shape: shape.length > 1 ? [rows, columns] : [columns], data: texts });
}

function descending(a: number | bigint = 0, b: number | bigint = 0): number {
  return a < b ? 1 : a > b ? -1 : 0;
}
