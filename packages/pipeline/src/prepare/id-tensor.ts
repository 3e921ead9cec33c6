import type { StepTensor } from "./preparer.ts";

/** One row of ids, `[length]`, in the type that the graph takes. */
export function idTensor(ids: Int32Array, datatype: "INT32" | "INT64"): StepTensor {
  const shape = [ids.length];
  if (datatype === "INT32") return { datatype, shape, data: ids };
  const data = new BigInt64Array(ids.length);
  for (let at = 0; at < ids.length; at++) data[at] = BigInt(ids[at] ?? 0);
  return { datatype, shape, data };
}
