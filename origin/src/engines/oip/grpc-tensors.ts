import { arrayOf, type Datatype, elementBytes, fail, fromBinary, ok, type Result, type Tensor } from "@ledge/contract";

/** A message of `open-inference.proto` as it is read: 64-bit integers as text, lists that are not there as empty. */
export interface GrpcTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly contents: GrpcContents | null;
}

export interface GrpcContents {
  readonly bool_contents: readonly boolean[];
  readonly int_contents: readonly number[];
  readonly int64_contents: readonly string[];
  readonly uint_contents: readonly number[];
  readonly uint64_contents: readonly string[];
  readonly fp32_contents: readonly number[];
  readonly fp64_contents: readonly number[];
  readonly bytes_contents: readonly Buffer[];
}

/** Where the elements of each datatype are that has a typed form. */
const members = {
  BOOL: "bool_contents",
  INT8: "int_contents",
  INT16: "int_contents",
  INT32: "int_contents",
  INT64: "int64_contents",
  UINT8: "uint_contents",
  UINT16: "uint_contents",
  UINT32: "uint_contents",
  UINT64: "uint64_contents",
  FP32: "fp32_contents",
  FP64: "fp64_contents",
} as const satisfies Partial<Record<Datatype, keyof GrpcContents>>;

/** A tensor of an answer, from its bytes or else from its typed contents. Faults: `invalid_shape`. */
export function tensorOf({ name, datatype, shape, contents }: GrpcTensor, raw: Buffer | undefined): Result<Tensor> {
  if (!isWire(datatype)) return fail("invalid_shape", { detail: `'${name}' is of the unknown datatype ${datatype}.` });
  const head = { name, datatype, shape: shape.map(Number) };
  if (raw !== undefined) return fromBinary(head, raw);
  if (datatype === "BYTES") return fromBinary(head, prefixed(contents?.bytes_contents ?? []));
  if (!isTyped(datatype)) return fail("invalid_shape", { detail: `'${name}': ${datatype} only travels as bytes.` });
  const elements = contents?.[members[datatype]] ?? [];
  const count = head.shape.reduce((product, dimension) => product * dimension, 1);
  if (elements.length !== count) {
    return fail("invalid_shape", {
      detail: `'${name}': the shape says ${count} elements, there are ${elements.length}.`,
    });
  }
  return ok({ datatype, shape: head.shape, data: typedArray(datatype, elements) } as Tensor);
}

function isWire(datatype: string): datatype is Datatype | "BF16" {
  return datatype === "BYTES" || Object.hasOwn(elementBytes, datatype);
}

function isTyped(datatype: string): datatype is keyof typeof members {
  return Object.hasOwn(members, datatype);
}

function typedArray(datatype: keyof typeof members, elements: readonly (boolean | number | string)[]) {
  if (datatype === "INT64" || datatype === "UINT64") return arrayOf[datatype].from(elements.map(BigInt));
  return arrayOf[datatype].from(elements.map(Number));
}

/** BYTES elements in the protocol's binary form: each behind its length. */
function prefixed(elements: readonly Buffer[]): Buffer {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.length);
      return [length, element];
    }),
  );
}
