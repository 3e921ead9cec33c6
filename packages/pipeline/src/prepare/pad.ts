import type { Tensor } from "@ledge/contract";

type IdTensor = Extract<Tensor, { readonly datatype: "INT32" | "INT64" }>;

/**
 * Lays rows of ids into one `[batch, length]` tensor; `length` is the longest row, at least 1.
 *
 * @param padId what fills the rows that are shorter
 */
export function padRows(rows: readonly Int32Array[], padId: number, datatype: "INT32" | "INT64"): IdTensor {
  const length = Math.max(1, ...rows.map((row) => row.length));
  const shape = [rows.length, length];
  if (datatype === "INT32") {
    const data = new Int32Array(rows.length * length);
    if (padId !== 0) data.fill(padId);
    for (const [index, row] of rows.entries()) data.set(row, index * length);
    return { datatype, shape, data };
  }
  const data = new BigInt64Array(rows.length * length).fill(BigInt(padId));
  for (const [index, row] of rows.entries()) {
    for (let at = 0; at < row.length; at++) data[index * length + at] = BigInt(row[at] ?? padId);
  }
  return { datatype, shape, data };
}
