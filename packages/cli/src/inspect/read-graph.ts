import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { TensorSpec } from "@ledge/contract";
import { Refusal } from "../refusal.ts";
import { checkTensor, tensorsOf } from "./check-tensors.ts";
import { elementTypeOf } from "./element-types.ts";
import { type ExternalFile, findExternalData } from "./external-data.ts";
import { type OnnxFile, type OnnxGraph, type OnnxValue, readOnnx } from "./onnx.ts";

/** What a graph says of itself. */
export interface GraphFacts {
  /** Where the graph lies on this machine. */
  readonly path: string;
  readonly bytes: number;
  readonly opset: number;
  readonly producer: string | undefined;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly externals: readonly ExternalFile[];
  /** How many rows the table has that an input looks up: its values must lie below. By the input's name. */
  readonly rowsLookedUp: ReadonlyMap<string, number>;
}

export interface GraphValue extends TensorSpec {
  /** A number, or the name of a variable dimension ("" when it has none). Undefined when the graph says nothing of the shape. */
  readonly dimensions: readonly (number | string)[] | undefined;
}

/** One file of protobuf cannot be larger. */
const graphBytesMax = 2 ** 31 - 1;

/**
 * Reads and checks an ONNX file without running it: structure, types of inputs and outputs, and that no tensor claims more
 * than it carries.
 *
 * @throws Refusal with one sentence that names the file.
 */
export async function readGraph(path: string): Promise<GraphFacts> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Refusal(`There is no file at ${path}.`);
  if (!found.isFile()) throw new Refusal(`${path} is not a file.`);
  if (found.size > graphBytesMax) {
    throw new Refusal(`${path} is larger than 2 GiB: save the model with external data.`);
  }
  const bytes = await readFile(path);
  try {
    const { graph, ...file } = parsed(bytes);
    const tensors = [...tensorsOf(graph)];
    for (const tensor of tensors) checkTensor(tensor);
    return {
      path,
      bytes: bytes.length,
      opset: file.opsets.get("") ?? 0,
      producer: [file.producer, file.producerVersion].join(" ").trim().slice(0, 200) || undefined,
      inputs: inputsOf(graph).map((value) => graphValue(value, "input")),
      outputs: graph.outputs.map((value) => graphValue(value, "output")),
      externals: await findExternalData(tensors, dirname(path)),
      rowsLookedUp: rowsLookedUp(graph),
    };
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(`${basename(path)}: ${error.message}`);
    throw error;
  }
}

function parsed(bytes: Uint8Array): OnnxFile & { graph: OnnxGraph } {
  const other = kindOf(bytes);
  if (other !== undefined) throw new Refusal(`This is ${other}, not an ONNX file.`);
  let file: OnnxFile;
  try {
    file = readOnnx(bytes);
  } catch (error) {
    const cut = error instanceof RangeError && error.message.includes("EOF");
    throw new Refusal(
      cut
        ? "This ONNX file ends in the middle of a field: it was cut off, or it is no ONNX file."
        : `This is not an ONNX file (${error instanceof Error ? error.message : error}).`,
    );
  }
  const { graph, irVersion, opsets } = file;
  if (graph === undefined || irVersion < 1) throw new Refusal("This is not an ONNX file: it holds no graph.");
  if (opsets.size === 0) throw new Refusal("This ONNX file names no operator set: it was cut off, or export it anew.");
  if (graph.outputs.length === 0) throw new Refusal("This graph has no output.");
  return { ...file, graph };
}

/** Files that are often taken for an ONNX model. */
function kindOf(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  if (bytes.length === 0) return "an empty file";
  if (start.startsWith("version https://git-lfs")) return "a pointer of Git LFS ('git lfs pull' fetches the file)";
  if (start.startsWith("PK")) return "a zip, such as a PyTorch checkpoint ('torch.onnx.export' makes a graph of it)";
  if (start.startsWith("\x89HDF")) return "an HDF5 file ('tf2onnx' makes a graph of it)";
  if (start.slice(4, 8) === "TFL3") return "a TensorFlow Lite file ('tf2onnx --tflite' makes a graph of it)";
  if (start.slice(4, 8) === "ORTM") return "a graph in the ORT format (add the .onnx it was made of)";
  if (/^\s*<(!doctype|html)/i.test(start)) return "a web page (the download was refused)";
  return undefined;
}

/** Before IR version 4 weights were listed among the inputs, too. */
function inputsOf({ inputs, initialisers }: OnnxGraph): readonly OnnxValue[] {
  const weights = new Set(initialisers.map(({ name }) => name));
  return inputs.filter(({ name }) => !weights.has(name));
}

function graphValue({ name, kind, elementType, shape }: OnnxValue, side: "input" | "output"): GraphValue {
  const called = `The ${side} '${name.slice(0, 80)}'`;
  if (kind === "other") {
    throw new Refusal(
      `${called} is a sequence, a map or optional, and only tensors travel: export the model with tensors (for scikit-learn 'zipmap=False').`,
    );
  }
  const type = elementTypeOf(elementType);
  if (type?.datatype === undefined) {
    const says = type?.onnxName ?? `of type ${elementType}`;
    throw new Refusal(`${called} is ${says}, which no request can carry: put a Cast to float at the graph's edge.`);
  }
  if ((shape?.length ?? 0) > 8) throw new Refusal(`${called} has more than 8 dimensions.`);
  const dims = (shape ?? []).map((size) => (typeof size === "number" && size >= 0 ? size : -1));
  return { name, datatype: type.datatype, shape: dims, dimensions: shape };
}

/** An input that a Gather takes its rows by, straight or through a Cast: the table's first dimension bounds its values. */
function rowsLookedUp({ nodes, initialisers }: OnnxGraph): Map<string, number> {
  const tables = new Map(initialisers.map(({ name, dims }) => [name, dims]));
  const source = new Map<string, string>();
  for (const { op, inputs, outputs } of nodes) {
    const [from] = inputs;
    const [to] = outputs;
    if (op === "Cast" && from !== undefined && to !== undefined) source.set(to, source.get(from) ?? from);
  }
  const found = new Map<string, number>();
  for (const { op, inputs } of nodes) {
    const [table, index] = inputs;
    const rows = tables.get(table ?? "")?.[0];
    if (op !== "Gather" || rows === undefined || index === undefined) continue;
    const input = source.get(index) ?? index;
    found.set(input, Math.min(rows, found.get(input) ?? rows));
  }
  return found;
}
