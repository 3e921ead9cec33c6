import { readFileSync } from "node:fs";
import type { Tensor } from "@ledge/contract";

/** A dense array of numbers. */
export type Numbers = Exclude<Tensor, { readonly datatype: "BYTES" }>;

/**
 * Reads rows of numbers, `[rows, …]`: a `.npy` file, or nested lists in JSON. Throws a sentence for anything else, and
 * for no rows.
 */
export function readNumbers(path: string): Numbers {
  const bytes = readFileSync(path);
  const numbers = bytes.subarray(0, 6).equals(magic) ? readNpy(bytes) : ofLists(JSON.parse(bytes.toString("utf8")));
  if (numbers.data.length === 0 || numbers.shape.length === 0) throw new Error(`${path} holds no rows of numbers.`);
  return numbers;
}

const magic = Buffer.from("\u0093NUMPY", "latin1");

/** NumPy's types, little-endian, by what reads them. */
const types = {
  "<f2": ["FP16", Uint16Array],
  "<f4": ["FP32", Float32Array],
  "<f8": ["FP64", Float64Array],
  "|i1": ["INT8", Int8Array],
  "<i2": ["INT16", Int16Array],
  "<i4": ["INT32", Int32Array],
  "<i8": ["INT64", BigInt64Array],
  "|u1": ["UINT8", Uint8Array],
  "<u2": ["UINT16", Uint16Array],
  "<u4": ["UINT32", Uint32Array],
  "<u8": ["UINT64", BigUint64Array],
  "|b1": ["BOOL", Uint8Array],
} as const;

/** The format of `numpy.save`, versions 1 to 3: magic, version, length of the header, the header as a Python dictionary, the data. */
function readNpy(bytes: Buffer): Numbers {
  const wide = (bytes[6] ?? 1) > 1;
  const from = wide ? 12 : 10;
  const dataFrom = from + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString("latin1", from, dataFrom);
  const type = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  if (!Object.hasOwn(types, type))
    throw new Error(`NumPy's type ${type} is not read: ${Object.keys(types).join(", ")} are.`);
  if (/'fortran_order':\s*True/.test(header))
    throw new Error("Columns come first in it: save numpy.ascontiguousarray.");
  const [datatype, array] = types[type as keyof typeof types];
  // A copy, since an array of wide numbers begins where they may.
  const data = new array(new Uint8Array(bytes.subarray(dataFrom)).buffer);
  if (data.length !== shape.reduce((product, size) => product * size, 1)) throw new Error("The file is cut off.");
  return { datatype, shape, data } as Numbers;
}

function ofLists(value: unknown): Numbers {
  const shape: number[] = [];
  for (let at: unknown = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  const data: number[] = [];
  const fits = (part: unknown, depth: number): boolean => {
    if (depth < shape.length)
      return Array.isArray(part) && part.length === shape[depth] && part.every((one) => fits(one, depth + 1));
    if (typeof part === "number") data.push(part);
    return typeof part === "number";
  };
  if (!fits(value, 0)) throw new Error("The lists are not all of one shape, or hold something that is no number.");
  return { datatype: "FP64", shape, data: Float64Array.from(data) };
}
