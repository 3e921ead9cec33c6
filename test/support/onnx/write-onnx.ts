import { bytes, concat, type Field, float, message, varint } from "./protobuf.ts";

/** Writes ONNX files (onnx.proto, IR version 10) for tests, so that models of any shape and size are made on the spot. */

/** Element types by their number in `TensorProto.DataType`. */
export const elementTypes = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
} as const;
export type ElementType = keyof typeof elementTypes;

export interface Value {
  readonly name: string;
  readonly datatype: ElementType;
  /** −1 stands for a variable dimension. */
  readonly shape: readonly number[];
}

/** A constant of the graph, by its bytes in little endian. */
export interface Initializer extends Value {
  readonly data: ArrayBufferView | readonly string[];
}

/** A constant that lies in another file. */
export interface ExternalInitializer extends Value {
  readonly external: { readonly location: string; readonly offset: number; readonly length: number };
}

export type AttributeValue = number | bigint | string | readonly number[] | { readonly float: number };

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers?: readonly (Initializer | ExternalInitializer)[];
  readonly nodes: readonly Node[];
  /** Default 21. */
  readonly opset?: number;
}

export function writeOnnx(graph: Graph): Uint8Array<ArrayBuffer> {
  const body = [
    ...graph.nodes.map(nodeProto),
    bytes(2, "graph"),
    ...(graph.initializers ?? []).map(tensorProto),
    ...graph.inputs.map((value) => valueInfo(11, value)),
    ...graph.outputs.map((value) => valueInfo(12, value)),
  ];
  return concat([varint(1, 10), bytes(2, "ledge-test"), message(7, body), message(8, [varint(2, graph.opset ?? 21)])]);
}

function nodeProto(node: Node, index: number): Field {
  return message(1, [
    ...node.inputs.map((name) => bytes(1, name)),
    ...node.outputs.map((name) => bytes(2, name)),
    bytes(3, `${node.op}_${index}`),
    bytes(4, node.op),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) => attribute(name, value)),
  ]);
}

/** AttributeProto: type 1 FLOAT, 2 INT, 3 STRING, 7 INTS. */
function attribute(name: string, value: AttributeValue): Field {
  const fields = [bytes(1, name)];
  if (typeof value === "number" || typeof value === "bigint") fields.push(varint(3, value), varint(20, 2));
  else if (typeof value === "string") fields.push(bytes(4, value), varint(20, 3));
  else if ("float" in value) fields.push(float(2, value.float), varint(20, 1));
  else fields.push(...value.map((each) => varint(8, each)), varint(20, 7));
  return message(5, fields);
}

function tensorProto(tensor: Initializer | ExternalInitializer): Field {
  const fields = [
    ...tensor.shape.map((dimension) => varint(1, dimension)),
    varint(2, elementTypes[tensor.datatype]),
    bytes(8, tensor.name),
  ];
  if ("external" in tensor) {
    const pairs = Object.entries(tensor.external);
    fields.push(...pairs.map(([key, value]) => message(13, [bytes(1, key), bytes(2, String(value))])), varint(14, 1));
  } else if (ArrayBuffer.isView(tensor.data)) {
    fields.push(bytes(9, new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)));
  } else {
    fields.push(...tensor.data.map((text) => bytes(6, text)));
  }
  return message(5, fields);
}

function valueInfo(field: number, { name, datatype, shape }: Value): Field {
  const dimensions = shape.map((size, axis) =>
    message(1, [size < 0 ? bytes(2, axis === 0 ? "batch" : `${name}_${axis}`) : varint(1, size)]),
  );
  const tensorType = message(1, [varint(1, elementTypes[datatype]), message(2, dimensions)]);
  return message(field, [bytes(1, name), message(2, [tensorType])]);
}
