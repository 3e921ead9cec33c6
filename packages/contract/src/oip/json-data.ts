import { fail, ok, type Result } from "../result.ts";
import type { Datatype, Tensor } from "../tensor.ts";
import { arrayOf, type TensorHead } from "./binary-data.ts";
import { elementCount } from "./wire-datatype.ts";

/**
 * The JSON form of a tensor's data: flat or nested, row-major. JSON's numbers are doubles to whoever reads them, so a
 * 64-bit integer that a double cannot hold is refused on its way in: it would have become another one in silence.
 */

/** The datatypes whose elements are JSON numbers. FP16 and BF16 have no JSON form. */
type NumberDatatype = Exclude<Datatype, "BYTES" | "BOOL" | "FP16">;

const ranges: Readonly<Record<NumberDatatype, readonly [min: number, max: number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  FP32: [-3.4028234663852886e38, 3.4028234663852886e38],
  FP64: [-Number.MAX_VALUE, Number.MAX_VALUE],
};

/** A tensor from the `data` of a JSON message. Faults: `invalid_shape`, which names the tensor and its first bad element. */
export function fromJson({ name, datatype, shape }: TensorHead, data: readonly unknown[]): Result<Tensor> {
  if (datatype === "FP16" || datatype === "BF16") {
    return fail("invalid_shape", { detail: `'${name}': ${datatype} has no JSON form; send it as binary data.` });
  }
  const count = elementCount(shape);
  const elements = flattened(data);
  if (elements.length !== count) {
    const detail = `'${name}': the shape says ${count} elements, the data has ${elements.length}.`;
    return fail("invalid_shape", { detail });
  }
  const fits = elementCheck(datatype);
  const bad = elements.findIndex((element) => !fits(element));
  if (bad >= 0) return fail("invalid_shape", { detail: `'${name}': element ${bad} is not ${wanted(datatype)}.` });
  return ok({ datatype, shape, data: arrayFrom(datatype, elements) } as Tensor);
}

function flattened(data: readonly unknown[]): readonly unknown[] {
  // Most data is flat, and is then not copied.
  return data.some(Array.isArray) ? data.flat(Number.POSITIVE_INFINITY) : data;
}

function elementCheck(datatype: Exclude<Datatype, "FP16">): (element: unknown) => boolean {
  if (datatype === "BYTES") return (element) => typeof element === "string";
  if (datatype === "BOOL") return (element) => typeof element === "boolean";
  const [min, max] = ranges[datatype];
  const within = (element: unknown) => typeof element === "number" && element >= min && element <= max;
  return isFloat(datatype) ? within : (element) => within(element) && Number.isInteger(element);
}

function wanted(datatype: Exclude<Datatype, "FP16">): string {
  if (datatype === "BYTES") return "a string";
  if (datatype === "BOOL") return "true or false";
  const [min, max] = ranges[datatype];
  if (isFloat(datatype)) return `a number that ${datatype} can hold`;
  const more = datatype.endsWith("INT64") ? "; send larger ones as binary data" : "";
  return `a whole number from ${min} to ${max}${more}`;
}

function isFloat(datatype: NumberDatatype): boolean {
  return datatype === "FP32" || datatype === "FP64";
}

function arrayFrom(datatype: Exclude<Datatype, "FP16">, elements: readonly unknown[]): Tensor["data"] {
  switch (datatype) {
    case "BYTES":
      return elements as readonly string[];
    case "BOOL":
      return Uint8Array.from(elements, Number);
    case "INT64":
    case "UINT64":
      return arrayOf[datatype].from((elements as readonly number[]).map(BigInt));
    default:
      return arrayOf[datatype].from(elements as readonly number[]);
  }
}

/** The `data` of a tensor as JSON text, 64-bit integers in all their digits. Faults: `invalid_shape` for what JSON cannot say. */
export function toJson(name: string, tensor: Tensor): Result<string> {
  switch (tensor.datatype) {
    case "FP16":
      return fail("invalid_shape", { detail: `'${name}' is FP16, which has no JSON form; ask for it as binary data.` });
    case "BYTES":
      return ok(JSON.stringify(tensor.data));
    case "BOOL":
      return ok(`[${Array.from(tensor.data, (bit) => bit !== 0).join(",")}]`);
    case "FP32":
    case "FP64":
      if (!tensor.data.every(Number.isFinite)) {
        const detail = `'${name}' holds NaN or an infinity, which JSON cannot say; ask for it as binary data.`;
        return fail("invalid_shape", { detail });
      }
      return ok(`[${tensor.data.join(",")}]`);
    default:
      return ok(`[${tensor.data.join(",")}]`);
  }
}
