import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Datatype } from "@ledge/contract";

/**
 * Writes ONNX files, so that tests need no binary fixtures and no Python. Field numbers are those of `onnx.proto`
 * (ModelProto, GraphProto, NodeProto, TensorProto …). What is written is not checked: broken files are fixtures too.
 */

export interface OnnxModel {
  /** Version of the operators of the default domain. Default 17. */
  readonly opset?: number;
  /** Default 8. */
  readonly irVersion?: number;
  readonly producer?: string;
  readonly producerVersion?: string;
  /** Versions of other operator sets by domain, as `com.microsoft`. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initialisers?: readonly OnnxTensor[];
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** A string names a variable dimension, `null` leaves it unnamed. Absent: nothing is said of the shape. */
  readonly shape?: readonly (number | string | null)[];
}

export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** A whole number, a list of them, a float, a text, a tensor or a graph. Floats are wrapped: 1 and 1.0 are one number here. */
export type OnnxAttribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: OnnxTensor }
  | { readonly graph: Pick<OnnxModel, "inputs" | "outputs" | "nodes" | "initialisers"> };

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Little-endian bytes as ONNX wants them, or texts for BYTES. */
  readonly data?: ArrayBufferView | readonly string[];
  /** The bytes lie in another file, beside the model. */
  readonly external?: { readonly location: string; readonly offset?: number; readonly length?: number };
}

export type OnnxType = Datatype | "BF16";

/** TensorProto.DataType. */
const typeNumbers: Readonly<Record<OnnxType, number>> = {
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
  BF16: 16,
};

/** The bytes of a `.onnx` file. */
export function writeOnnx(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  int(writer, 1, model.irVersion ?? 8);
  if (model.producer !== undefined) text(writer, 2, model.producer);
  if (model.producerVersion !== undefined) text(writer, 3, model.producerVersion);
  message(writer, 7, (graph) => writeGraph(graph, model));
  for (const [domain, version] of Object.entries({ "": model.opset ?? 17, ...model.domains })) {
    message(writer, 8, (opset) => {
      text(opset, 1, domain);
      int(opset, 2, version);
    });
  }
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: Pick<OnnxModel, "inputs" | "outputs" | "nodes" | "initialisers">) {
  for (const node of graph.nodes) message(writer, 1, (into) => writeNode(into, node));
  text(writer, 2, "graph");
  for (const tensor of graph.initialisers ?? []) message(writer, 5, (into) => writeTensor(into, tensor));
  for (const value of graph.inputs) message(writer, 11, (into) => writeValue(into, value));
  for (const value of graph.outputs) message(writer, 12, (into) => writeValue(into, value));
}

function writeNode(writer: BinaryWriter, node: OnnxNode) {
  for (const name of node.inputs) text(writer, 1, name);
  for (const name of node.outputs) text(writer, 2, name);
  text(writer, 4, node.op);
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    message(writer, 5, (into) => writeAttribute(into, name, value));
  }
  if (node.domain !== undefined) text(writer, 7, node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, value: OnnxAttribute) {
  text(writer, 1, name);
  if (typeof value === "number") {
    int(writer, 3, value);
    int(writer, 20, 2);
  } else if (typeof value === "string") {
    text(writer, 4, value);
    int(writer, 20, 3);
  } else if (isList(value)) {
    for (const one of value) int(writer, 8, one);
    int(writer, 20, 7);
  } else if ("float" in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    int(writer, 20, 1);
  } else if ("floats" in value) {
    for (const one of value.floats) writer.tag(7, WireType.Bit32).float(one);
    int(writer, 20, 6);
  } else if ("tensor" in value) {
    message(writer, 5, (into) => writeTensor(into, value.tensor));
    int(writer, 20, 4);
  } else {
    message(writer, 6, (into) => writeGraph(into, value.graph));
    int(writer, 20, 5);
  }
}

function isList(value: OnnxAttribute): value is readonly number[] {
  return Array.isArray(value);
}

function writeTensor(writer: BinaryWriter, { name, type, shape, data, external }: OnnxTensor) {
  for (const size of shape) int(writer, 1, size);
  int(writer, 2, typeNumbers[type]);
  text(writer, 8, name);
  if (ArrayBuffer.isView(data)) {
    writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } else for (const one of data ?? []) text(writer, 6, one);
  if (external === undefined) return;
  for (const [key, value] of Object.entries(external)) {
    message(writer, 13, (entry) => {
      text(entry, 1, key);
      text(entry, 2, String(value));
    });
  }
  int(writer, 14, 1);
}

function writeValue(writer: BinaryWriter, { name, type, shape }: OnnxValue) {
  text(writer, 1, name);
  message(writer, 2, (kind) =>
    message(kind, 1, (tensor) => {
      int(tensor, 1, typeNumbers[type]);
      if (shape !== undefined) message(tensor, 2, (dims) => writeDimensions(dims, shape));
    }),
  );
}

function writeDimensions(writer: BinaryWriter, shape: NonNullable<OnnxValue["shape"]>) {
  for (const size of shape) {
    message(writer, 1, (dim) => {
      if (typeof size === "number") int(dim, 1, size);
      else if (size !== null) text(dim, 2, size);
    });
  }
}

function message(writer: BinaryWriter, field: number, write: (into: BinaryWriter) => void) {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string) {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function int(writer: BinaryWriter, field: number, value: number) {
  writer.tag(field, WireType.Varint).int64(value);
}
