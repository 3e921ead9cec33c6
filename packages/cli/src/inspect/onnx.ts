import type { BinaryReader } from "@bufbuild/protobuf/wire";
import { countOf, type Fields, readFields, whole, wholes } from "./wire.ts";

/** The parts of an ONNX file that say what a model takes, gives and needs. Weights are not read, only measured. */
export interface OnnxFile {
  irVersion: number;
  producer: string;
  producerVersion: string;
  /** Versions of operator sets by domain; the default domain is "". */
  readonly opsets: Map<string, number>;
  graph: OnnxGraph | undefined;
}

export interface OnnxGraph {
  readonly inputs: OnnxValue[];
  readonly outputs: OnnxValue[];
  readonly initialisers: OnnxTensor[];
  readonly nodes: OnnxNode[];
}

export interface OnnxValue {
  name: string;
  /** Other kinds (sequences, maps, optionals) have no tensor type. */
  kind: "tensor" | "other";
  /** TensorProto.DataType; 0 when the file does not say. */
  elementType: number;
  /** A number, or the name of a variable dimension, "" when it has none. Undefined: nothing is said of the shape. */
  shape: (number | string)[] | undefined;
}

export interface OnnxNode {
  op: string;
  domain: string;
  readonly inputs: string[];
  readonly outputs: string[];
  /** Tensors and graphs in its attributes. */
  readonly tensors: OnnxTensor[];
  readonly graphs: OnnxGraph[];
}

export interface OnnxTensor {
  name: string;
  elementType: number;
  readonly dims: number[];
  /** Bytes of `raw_data`; undefined when the field is absent. */
  rawBytes: number | undefined;
  /** Elements in the typed fields (`float_data`, `int32_data` …). */
  typedCount: number;
  /** `location`, `offset`, `length` when the bytes lie in another file. */
  external: Map<string, string> | undefined;
}

const newGraph = (): OnnxGraph => ({ inputs: [], outputs: [], initialisers: [], nodes: [] });

/**
 * Reads an ONNX file's ModelProto; field numbers are those of `onnx.proto`. The bytes of tensors are never copied, so a
 * large file costs no more than itself.
 *
 * @throws RangeError or Error when the bytes are no such message.
 */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  const empty = {
    irVersion: 0,
    producer: "",
    producerVersion: "",
    opsets: new Map<string, number>(),
    graph: undefined,
  };
  return readFields<OnnxFile>(bytes, fileFields, empty);
}

const fileFields: Fields<OnnxFile> = {
  1: (reader, file) => {
    file.irVersion = whole(reader);
  },
  2: (reader, file) => {
    file.producer = reader.string();
  },
  3: (reader, file) => {
    file.producerVersion = reader.string();
  },
  7: (reader, file) => {
    file.graph = readGraph(reader, file.graph);
  },
  8: (reader, file) => {
    const { domain, version } = readFields(reader.bytes(), opsetFields, { domain: "", version: 0 });
    file.opsets.set(domain === "ai.onnx" ? "" : domain, version);
  },
};

const opsetFields: Fields<{ domain: string; version: number }> = {
  1: (reader, into) => {
    into.domain = reader.string();
  },
  2: (reader, into) => {
    into.version = whole(reader);
  },
};

function readGraph(reader: BinaryReader, into: OnnxGraph = newGraph()): OnnxGraph {
  return readFields(reader.bytes(), graphFields, into);
}

const graphFields: Fields<OnnxGraph> = {
  1: (reader, { nodes }) => {
    const empty = { op: "", domain: "", inputs: [], outputs: [], tensors: [], graphs: [] };
    nodes.push(readFields<OnnxNode>(reader.bytes(), nodeFields, empty));
  },
  5: (reader, { initialisers }) => void initialisers.push(readTensor(reader)),
  11: (reader, { inputs }) => void inputs.push(readValue(reader)),
  12: (reader, { outputs }) => void outputs.push(readValue(reader)),
};

const nodeFields: Fields<OnnxNode> = {
  1: (reader, { inputs }) => void inputs.push(reader.string()),
  2: (reader, { outputs }) => void outputs.push(reader.string()),
  4: (reader, node) => {
    node.op = reader.string();
  },
  5: (reader, node) => void readFields(reader.bytes(), attributeFields, node),
  7: (reader, node) => {
    node.domain = reader.string();
  },
};

const attributeFields: Fields<OnnxNode> = {
  5: (reader, { tensors }) => void tensors.push(readTensor(reader)),
  6: (reader, { graphs }) => void graphs.push(readGraph(reader)),
  10: (reader, { tensors }) => void tensors.push(readTensor(reader)),
  11: (reader, { graphs }) => void graphs.push(readGraph(reader)),
};

function readTensor(reader: BinaryReader): OnnxTensor {
  const empty = { name: "", elementType: 0, dims: [], rawBytes: undefined, typedCount: 0, external: undefined };
  return readFields<OnnxTensor>(reader.bytes(), tensorFields, empty);
}

const typedField =
  (width: 0 | 4 | 8): Fields<OnnxTensor>[number] =>
  (reader, tensor, type) => {
    tensor.typedCount += countOf(reader, type, width);
  };

const tensorFields: Fields<OnnxTensor> = {
  1: (reader, { dims }, type) => wholes(reader, type, dims),
  2: (reader, tensor) => {
    tensor.elementType = whole(reader);
  },
  4: typedField(4),
  5: typedField(0),
  6: (reader, tensor) => {
    reader.bytes();
    tensor.typedCount++;
  },
  7: typedField(0),
  8: (reader, tensor) => {
    tensor.name = reader.string();
  },
  9: (reader, tensor) => {
    tensor.rawBytes = reader.bytes().length;
  },
  10: typedField(8),
  11: typedField(0),
  13: (reader, tensor) => {
    tensor.external ??= new Map();
    const { key, value } = readFields(reader.bytes(), entryFields, { key: "", value: "" });
    tensor.external.set(key, value);
  },
  14: (reader, tensor) => {
    if (whole(reader) === 1) tensor.external ??= new Map();
  },
};

const entryFields: Fields<{ key: string; value: string }> = {
  1: (reader, into) => {
    into.key = reader.string();
  },
  2: (reader, into) => {
    into.value = reader.string();
  },
};

function readValue(reader: BinaryReader): OnnxValue {
  const empty: OnnxValue = { name: "", kind: "other", elementType: 0, shape: undefined };
  return readFields(reader.bytes(), valueFields, empty);
}

const valueFields: Fields<OnnxValue> = {
  1: (reader, value) => {
    value.name = reader.string();
  },
  2: (reader, value) => void readFields(reader.bytes(), typeFields, value),
};

const typeFields: Fields<OnnxValue> = {
  1: (reader, value) => {
    value.kind = "tensor";
    readFields(reader.bytes(), tensorTypeFields, value);
  },
};

const tensorTypeFields: Fields<OnnxValue> = {
  1: (reader, value) => {
    value.elementType = whole(reader);
  },
  2: (reader, value) => {
    value.shape = readFields<(number | string)[]>(reader.bytes(), shapeFields, []);
  },
};

const shapeFields: Fields<(number | string)[]> = {
  1: (reader, shape) => {
    const { size } = readFields<{ size: number | string }>(reader.bytes(), dimensionFields, { size: "" });
    shape.push(size);
  },
};

const dimensionFields: Fields<{ size: number | string }> = {
  1: (reader, into) => {
    into.size = whole(reader);
  },
  2: (reader, into) => {
    into.size = reader.string();
  },
};
